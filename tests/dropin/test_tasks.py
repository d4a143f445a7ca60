# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Spawn."""
import gc
import os
import sys
import traceback

import cothread
from support import raises, run, stderr_caught


def fail(value=1):
    raise ValueError(value)


def test_arguments_and_the_two_keywords():
    seen = []

    def work(*args, **kargs):
        seen.append((args, kargs))

    cothread.Spawn(work, 1, 2, raise_on_wait=True, stack_size=100000, name="x", function=3, self=4).Wait()
    assert seen == [((1, 2), {"name": "x", "function": 3, "self": 4})]
    raises(TypeError, cothread.Spawn)
    raises(TypeError, cothread.Spawn, 5)


def test_as_a_decorator():
    @cothread.Spawn
    def task():
        cothread.Sleep(0)
        return 7

    assert isinstance(task, cothread.Spawn) and task.Wait() == 7


def test_a_task_is_true_when_it_has_finished():
    task = cothread.Spawn(cothread.Sleep, 0)
    assert not task
    task.Wait()
    assert task


def test_an_uncaught_exception_is_reported_with_the_name_and_wait_returns_none():
    with stderr_caught() as caught:
        assert cothread.Spawn(fail).Wait() is None
    assert "ValueError: 1" in caught.text and "fail (test_tasks.py" in caught.text


def test_it_is_reported_although_nobody_waits():
    with stderr_caught() as caught:
        task = cothread.Spawn(fail)
        cothread.Sleep(0)
    assert "ValueError: 1" in caught.text and task


def test_raise_on_wait_raises_with_the_tasks_own_traceback():
    with stderr_caught() as caught:
        task = cothread.Spawn(fail, 5, raise_on_wait=True)
        first = raises(ValueError, task.Wait)
        frames = [frame.name for frame in traceback.extract_tb(first.__traceback__)]
    assert frames[-1] == "fail" and first.args == (5,) and caught.text == ""


def test_any_number_may_wait_and_all_get_the_result():
    def slowly():
        cothread.Sleep(0.01)
        return 9

    task = cothread.Spawn(slowly)
    waiters = [cothread.Spawn(task.Wait) for _ in range(5)]
    assert cothread.WaitForAll(waiters, 60) == [9] * 5 and task.Wait() == 9 and task.Wait(0) == 9

    failing = cothread.Spawn(fail, raise_on_wait=True)
    lengths = []
    for _ in range(3):
        error = raises(ValueError, failing.Wait)
        lengths.append(len(traceback.extract_tb(error.__traceback__)))
    assert len(set(lengths)) == 1


def test_a_failure_nobody_waited_for_is_reported_when_the_task_goes_away():
    with stderr_caught() as caught:
        task = cothread.Spawn(fail, raise_on_wait=True)
        cothread.Sleep(0)
        assert caught._old is not sys.stderr and sys.stderr.getvalue() == ""
        del task
        gc.collect()
    assert "ValueError: 1" in caught.text


def test_system_exit_in_a_task_does_not_end_the_program():
    with stderr_caught() as caught:
        assert cothread.Spawn(sys.exit, 3).Wait() is None
    assert caught.text == ""
    raises(SystemExit, cothread.Spawn(sys.exit, 3, raise_on_wait=True).Wait)


def test_a_wait_may_time_out_and_be_repeated():
    def slowly():
        cothread.Sleep(0.05)
        return 1

    task = cothread.Spawn(slowly)
    raises(cothread.Timedout, task.Wait, 0.001)
    assert task.Wait() == 1

    def times_out():
        cothread.Event().Wait(0)

    # Its own Timedout is a failure like others.
    with stderr_caught() as caught:
        assert cothread.Spawn(times_out).Wait() is None
    assert "TimedOut" in caught.text


def test_a_small_stack_is_enough_for_ordinary_work():
    def work():
        cothread.Sleep(0)
        return ", ".join(f"{i:5.2f}" for i in range(100))

    assert len(cothread.Spawn(work, stack_size=1000).Wait()) > 100


def test_classes_may_derive_from_the_librarys():
    class Named(cothread.Event):
        def __init__(self, name):
            super().__init__(auto_reset=False)
            self.name = name

    class Queue(cothread.EventQueue):
        def __init__(self, name):
            cothread.EventQueue.__init__(self, 2)
            self.name = name

        def Wait(self, timeout=None):
            return super().Wait(timeout) * 2

    event, queue = Named("x"), Queue("y")
    event.Signal(value=1)
    assert event.Wait() == event.Wait() == 1 and event.name == "x"
    assert [queue.Signal(value) for value in (1, 2, 3)] == [True, True, False]
    queue.close()
    assert list(queue) == [2, 4] and queue.name == "y"


def test_at_the_exit_of_the_interpreter_parked_tasks_are_unwound():
    status, out, err = run("import cothread\n"
                           "def parked():\n"
                           "    try: cothread.Sleep(None)\n"
                           "    finally: print('unwound')\n"
                           "cothread.Spawn(parked); cothread.Sleep(0); print('end')")
    assert (status, out, err) == (0, "end\nunwound\n", "")


def test_half_a_million_tasks_do_not_make_the_process_grow():
    import cothread as c
    page = os.sysconf("SC_PAGESIZE")

    def sizes():
        with open("/proc/self/statm") as file:
            words = file.read().split()
        return int(words[0]) * page, int(words[1]) * page

    def rounds(n):
        for _ in range(n // 500):
            for _ in range(500):
                c.Spawn(c.Yield)
            c.Sleep(0)
            c.Sleep(0)

    # What grows does so each time; a process that once kept a page more does not.
    rounds(20000)
    for _ in range(4):
        gc.collect()
        before = sizes()
        rounds(500000)
        gc.collect()
        mapped, resident = (new - old for new, old in zip(sizes(), before))
        if mapped < 200_000 and resident < 200_000:
            return
    raise AssertionError((mapped, resident))
