# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, coselect."""
import os
import select as system_select
import socket
import threading
import time

import cothread
from cothread import POLLHUP, POLLIN, POLLNVAL, POLLOUT, coselect
from support import raises, run


class pipe:
    def __enter__(self):
        self.ends = os.pipe()
        return self.ends

    def __exit__(self, *_):
        for end in self.ends:
            try:
                os.close(end)
            except OSError:
                pass  # the test has done it


def test_poll_list_gives_pairs_and_suspends_only_the_task():
    with pipe() as (read_end, write_end):
        steps = []
        cothread.Spawn(lambda: [cothread.Sleep(0.001), steps.append(1), os.write(write_end, b"x")])
        assert cothread.poll_list([(read_end, POLLIN)], 60) == [(read_end, POLLIN)] and steps == [1]
        assert sorted(cothread.poll_list([(read_end, POLLIN), (write_end, POLLOUT)])) == [(read_end, POLLIN), (write_end, POLLOUT)]
        os.read(read_end, 1)
        assert cothread.poll_list([(read_end, POLLIN)], 0) == [] == cothread.poll_list([(read_end, POLLIN)], 0.001)
        assert cothread.poll_list([(read_end, POLLIN)], (time.time() - 1,)) == []
        assert cothread.poll_list([], 0.001) == []


def test_poll_list_with_timeout_0_lets_others_run_once():
    ran = []
    with pipe() as (read_end, _):
        cothread.Spawn(ran.append, 1)
        assert cothread.poll_list([(read_end, POLLIN)], 0) == [] and ran == [1]


def test_a_descriptor_that_is_always_ready_does_not_starve_others():
    ran = []
    with pipe() as (_, write_end):
        cothread.Spawn(ran.append, 1)

        def poll_for_ever():
            while not ran:
                cothread.poll_list([(write_end, POLLOUT)])

        assert cothread.Spawn(poll_for_ever).Wait(60) is None and ran == [1]


def test_of_two_tasks_on_one_descriptor_one_is_woken_and_it_stays_monitored():
    with pipe() as (read_end, write_end):
        seen = []

        def read(name):
            assert cothread.poll_list([(read_end, POLLIN)], 60) == [(read_end, POLLIN)]
            seen.append((name, os.read(read_end, 1)))

        tasks = [cothread.Spawn(read, name) for name in "ab"]
        cothread.Sleep(0.001)
        os.write(write_end, b"1")
        cothread.Sleep(0.01)
        assert seen == [("a", b"1")]
        os.write(write_end, b"2")
        cothread.WaitForAll(tasks, 60)
        assert seen == [("a", b"1"), ("b", b"2")]


def test_hang_ups_go_to_everybody():
    with pipe() as (read_end, write_end):
        tasks = [cothread.Spawn(cothread.poll_list, [(read_end, POLLIN)], 60) for _ in range(5)]
        cothread.Sleep(0.001)
        os.close(write_end)
        assert cothread.WaitForAll(tasks, 60) == [[(read_end, POLLHUP)]] * 5


def test_what_is_not_open_is_told():
    with pipe() as (read_end, write_end):
        os.close(write_end)
        os.close(read_end)
        assert cothread.poll_list([(read_end, POLLIN)], 60) == [(read_end, POLLNVAL)]


def test_select_raises_select_error():
    with pipe() as (read_end, write_end):
        assert cothread.select([read_end], [write_end], [], 0) == ([], [write_end], [])
        os.write(write_end, b"x")
        assert cothread.select([read_end], [], [read_end], 60) == ([read_end], [], [])
        os.close(write_end)
        assert cothread.select([read_end], [], []) == ([read_end], [], [])  # what there is to read comes first
        os.read(read_end, 1)
        assert raises(cothread.SelectError, cothread.select, [read_end], [], []).flags == [(read_end, POLLHUP)]
        os.close(read_end)
        error = raises(cothread.SelectError, cothread.select, [], [], [read_end])
        assert error.flags == [(read_end, POLLNVAL)] and isinstance(error, OSError) and "not open" in str(error)
    one, other = socket.socketpair()
    with one, other:
        other.send(b"x")
        assert cothread.select([one], [one], []) == ([one], [one], [])


def test_poll_objects_take_milliseconds_or_none():
    with pipe() as (read_end, write_end):
        poll = cothread.poll()
        poll.register(read_end)
        start = time.monotonic()
        assert poll.poll(20) == [] and 0.019 <= time.monotonic() - start
        cothread.Timer(0.001, lambda: os.write(write_end, b"x"))
        assert poll.poll() == poll.poll(None) == poll.poll(-1) == [(read_end, POLLIN)]
        poll.modify(read_end, 0)
        assert poll.poll(0) == []
        poll.unregister(read_end)
        raises(KeyError, poll.unregister, read_end)
        raises(FileNotFoundError, poll.modify, read_end, POLLIN)


def test_epoll_objects():
    with pipe() as (read_end, write_end), coselect.epoll() as epoll:
        epoll.register(read_end, system_select.EPOLLIN)
        assert epoll.poll(0.001) == [] and not epoll.closed
        cothread.Timer(0.001, lambda: os.write(write_end, b"x"))
        assert epoll.poll(60) == epoll.poll() == [(read_end, POLLIN)]
    assert epoll.closed


def test_in_other_threads_they_are_the_systems():
    with pipe() as (read_end, write_end):
        seen = []

        def wait():
            seen.append(coselect._select_as_the_system([read_end], [], []))
            poll = cothread.poll()
            poll.register(read_end, POLLIN)
            seen.append(poll.poll(60000))
            os.read(read_end, 1)
            seen.append(cothread.poll_list([(read_end, POLLIN)], 0.001))

        thread = threading.Thread(target=wait)
        thread.start()
        cothread.Sleep(0.01)
        os.write(write_end, b"x")
        thread.join()
        assert seen == [([read_end], [], []), [(read_end, POLLIN)], []]


def test_thousands_of_descriptors():
    pairs = [os.pipe() for _ in range(400)]
    try:
        events = [(read_end, POLLIN) for read_end, _ in pairs]
        cothread.Timer(0.001, lambda: [os.write(pairs[i][1], b"x") for i in (7, 300)])
        found = cothread.poll_list(events, 60)
        assert sorted(found) == sorted([(pairs[7][0], POLLIN), (pairs[300][0], POLLIN)])
    finally:
        for pair in pairs:
            os.close(pair[0])
            os.close(pair[1])


HOOKED = """
import cothread, time
cothread.select_hook()
ticks = [0]
def tick():
    while True:
        cothread.Sleep(0.005)
        ticks[0] += 1
cothread.Spawn(tick)
"""


def run_hooked(text):
    status, out, err = run(HOOKED + text)
    assert (status, out, err) == (0, "good\n", ""), (status, out, err)


def test_the_hook_makes_subprocess_communicate_cooperative():
    run_hooked("import subprocess, sys\n"
               "child = subprocess.Popen([sys.executable, '-c', 'import sys, time; text = sys.stdin.read(); time.sleep(0.3);"
               " print(text.upper()); print(1, file=sys.stderr)'],\n"
               "                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)\n"
               "assert child.communicate('abc') == ('ABC\\n', '1\\n')\n"
               "assert ticks[0] >= 1, ticks\n"
               "print('good')")


def test_the_hook_makes_the_selectors_cooperative():
    run_hooked("import os, select, selectors\n"
               "for kind in (selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector):\n"
               "    read_end, write_end = os.pipe()\n"
               "    with kind() as selector:\n"
               "        selector.register(read_end, selectors.EVENT_READ, 'data')\n"
               "        before = ticks[0]\n"
               "        assert selector.select(0.1) == [] and ticks[0] > before\n"
               "        cothread.Timer(0.01, lambda: os.write(write_end, b'x'))\n"
               "        (key, events), = selector.select()\n"
               "        assert key.data == 'data' and events == selectors.EVENT_READ\n"
               "        os.read(read_end, 1); os.close(write_end)\n"
               "        assert selector.select(60)[0][1] == selectors.EVENT_READ  # the end of the file\n"
               "        os.close(read_end)\n"
               "before = ticks[0]\n"
               "assert select.select([], [], [], 0.1) == ([], [], []) and ticks[0] > before\n"
               "try: select.select([99], [], [], 0)\n"
               "except OSError: pass\n"
               "else: raise AssertionError\n"
               "print('good')")


def test_the_hook_makes_multiprocessing_connections_cooperative():
    run_hooked("import multiprocessing.connection, multiprocessing\n"
               "one, other = multiprocessing.Pipe()\n"
               "cothread.Timer(0.1, lambda: other.send('x'))\n"
               "assert one.poll(60) and one.recv() == 'x' and ticks[0] >= 1\n"
               "print('good')")


def test_the_hook_makes_asyncio_in_a_task_cooperative():
    run_hooked("import asyncio\n"
               "async def main():\n"
               "    await asyncio.sleep(0.1)\n"
               "    return 5\n"
               "assert cothread.Spawn(asyncio.run, main()).Wait() == 5 and ticks[0] >= 1\n"
               "print('good')")
