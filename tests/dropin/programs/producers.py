# SPDX-License-Identifier: LGPL-2.1-or-later
"""Producers, a queue, and a consumer that iterates until it is closed."""
import cothread

queue = cothread.EventQueue()


def producer(name, count):
    for i in range(count):
        cothread.Sleep(0.002)
        queue.Signal((name, i))
    return count


@cothread.Spawn
def consumer():
    seen = sorted(queue)
    print("consumed", len(seen), seen[0], seen[-1])
    cothread.Quit()


print("produced", cothread.WaitForAll([cothread.Spawn(producer, name, 10) for name in "abc"]))
queue.close()
cothread.WaitForQuit()
print("the end")
