# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exceptions, timeouts and what is given up."""
import time

import cothread


def fail(after):
    cothread.Sleep(after)
    raise ValueError(after)


try:
    cothread.WaitForAll([cothread.Spawn(fail, 0.01, raise_on_wait=True), cothread.Event()], 60)
except ValueError as error:
    print("failed", error)

event = cothread.Event()
deadline = cothread.AbsTimeout(0.05)
for _ in range(2):
    try:
        event.Wait(deadline)
    except cothread.Timedout:
        print("timed out")
start = time.time()
cothread.SleepUntil(start + 0.02)
print("slept", time.time() >= start + 0.02)
event.SignalException(KeyError("key"))
try:
    event.Wait()
except KeyError as error:
    print("raised", error)
ticks = []
timer = cothread.Timer(0.001, lambda: ticks.append(1) or (len(ticks) == 3 and done.Signal("done")), retrigger=True)
done = cothread.Event(auto_reset=False)
print(done.Wait(60), done.Wait(60))
timer.cancel()
for _ in range(5):
    cothread.Yield()
print(len(ticks))
