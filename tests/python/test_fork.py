# SPDX-License-Identifier: LGPL-2.1-or-later
"""The child of a fork has the program but not its tasks."""
import multiprocessing
import os

import pytest

import gi

gi.require_version("Cothread", "1.0")  # also in the children that import this file
from gi.repository import Cothread  # noqa: E402


def work(number):
    def one(i):
        Cothread.sleep(0.001)
        return i * number

    tasks = [Cothread.spawn(one, i) for i in range(5)]
    done = Cothread.Event()
    Cothread.callback(done.signal)
    done.wait()
    assert Cothread.run_in_thread(lambda: number) == number
    return [task.wait() for task in tasks]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_tasks_work_in_processes_of_multiprocessing(method):
    seen = []

    def parked():
        event.wait()
        seen.append("parent")

    event = Cothread.Event()
    task = Cothread.spawn(parked)
    Cothread.sleep(0)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(work, [1, 2, 3]) == [[i * n for i in range(5)] for n in (1, 2, 3)]
    event.signal()
    task.wait()
    assert seen == ["parent"]


def run_child(function):
    """The status of a child that runs function()."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = function()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_has_no_tasks_and_leaves_the_parents_alone():
    read_end, write_end = os.pipe()
    unwound = []

    def parked():
        try:
            Cothread.wait_fd(read_end, 1)
        finally:
            unwound.append(os.getpid())

    task = Cothread.spawn(parked)
    other = Cothread.spawn(Cothread.sleep, 60)
    Cothread.sleep(0)

    def child():
        assert Cothread.tasks() == []
        assert Cothread.spawn(Cothread.wait_fd, read_end, 1, 0.01).exception is None
        Cothread.sleep(0.02)
        with pytest.raises((Cothread.Closed, Cothread.TimedOut)):
            other.wait(0)
        from _cothread import shut_down
        shut_down()
        return 0 if unwound == [] else 1

    assert run_child(child) == 0
    os.write(write_end, b"x")
    task.wait()
    assert unwound == [os.getpid()]
    other.cancel()
    os.close(read_end)
    os.close(write_end)


def test_a_fork_inside_a_task():
    """The child is in GLib's eyes inside a handler: it can compute, and is told that it cannot wait."""
    def child():
        assert Cothread.current_task() is None
        try:
            Cothread.sleep(0)
        except Cothread.WrongContext:
            return 7
        return 1

    task = Cothread.spawn(lambda: [Cothread.sleep(0), run_child(child), Cothread.sleep(0)][1])
    assert task.wait() == 7
