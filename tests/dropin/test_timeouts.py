# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Timeouts and Order."""
import os
import threading
import time

import cothread
from support import raises


def test_a_timeout_is_none_a_number_or_a_deadline():
    event = cothread.Event()
    raises(cothread.Timedout, event.Wait, 0.001)
    raises(cothread.Timedout, event.Wait, (time.time() + 0.001,))
    raises(cothread.Timedout, event.Wait, timeout=(0,))
    cothread.Timer(0.001, event.Signal)
    assert event.Wait(None) is None
    cothread.Timer(0.001, event.Signal)
    assert event.Wait((None,)) is None
    raises(TypeError, event.Wait, "soon")
    raises(ValueError, event.Wait, float("nan"))


def test_abstimeout_getdeadline_and_deadline_convert():
    before = time.time()
    (deadline,) = cothread.AbsTimeout(5)
    assert before + 5 <= deadline <= time.time() + 5
    assert cothread.AbsTimeout((deadline,)) == (deadline,) and cothread.AbsTimeout(None) is None
    assert cothread.GetDeadline((deadline,)) == deadline and cothread.GetDeadline(None) is None
    assert before + 1 <= cothread.GetDeadline(1) <= time.time() + 1
    assert cothread.Deadline((7,)) == 7


def test_a_step_of_the_wall_clock_moves_no_wait():
    real = time.time
    event = cothread.Event()
    start = time.monotonic()

    def step():
        time.time = lambda: real() + 3600

    stepper = cothread.Timer(0.01, step)
    try:
        error = raises(cothread.Timedout, cothread.WaitForAll, [event, event], 0.2)
    finally:
        time.time = real
        stepper.cancel()
    assert error is not None and time.monotonic() - start >= 0.19


def test_timeout_0_suspends_once_and_then_times_out():
    ran = []
    for timeout in (0, -1, (time.time() - 10,)):
        ran.clear()
        cothread.Spawn(ran.append, 1)
        raises(cothread.Timedout, cothread.Event().Wait, timeout)
        assert ran == [1]


def test_timeout_0_lets_a_task_that_is_ready_signal_first():
    event = cothread.Event()
    cothread.Spawn(event.Signal, "in time")

    def wait():
        return event.Wait(0)

    # The waiter itself began before: one suspension lets the other run.
    cothread.Sleep(0)
    assert cothread.Spawn(wait).Wait() == "in time"


def test_only_a_wait_on_something_ready_does_not_suspend():
    ran = []
    event, queue = cothread.Event(), cothread.EventQueue()
    done = cothread.Spawn(lambda: 5)
    done.Wait()
    event.Signal(1)
    queue.Signal(2)
    cothread.Spawn(ran.append, 1)
    assert (event.Wait(), queue.Wait(), done.Wait()) == (1, 2, 5) and ran == []
    cothread.Sleep(0)
    assert ran == [1]


def test_spawn_is_lazy_and_tasks_start_in_order():
    order = []
    for i in range(10):
        cothread.Spawn(order.append, i)
    assert order == []
    cothread.Sleep(0)
    assert order == list(range(10))


def test_waiters_wake_in_the_order_in_which_they_began_to_wait():
    order = []
    event = cothread.Event()

    def wait(i):
        event.Wait()
        order.append(i)

    tasks = [cothread.Spawn(wait, i) for i in range(10)]
    cothread.Sleep(0)
    for _ in tasks:
        event.Signal()
        cothread.Sleep(0)
    assert order == list(range(10))


def test_equal_deadlines_fire_in_the_order_they_were_set():
    order = []
    deadline = time.time() + 0.05

    def wait(i):
        cothread.SleepUntil(deadline)
        order.append(i)

    cothread.WaitForAll([cothread.Spawn(wait, i) for i in range(200)])
    # Converting a time of the wall clock costs some of its last digits, so neighbours may differ by a microsecond.
    assert sorted(order) == list(range(200))

    order.clear()

    def sleep(i):
        cothread.Sleep(0)
        order.append(i)

    cothread.WaitForAll([cothread.Spawn(sleep, i) for i in range(200)])
    assert order == list(range(200))


def test_sleep_on_a_past_time_suspends():
    ran = []
    for sleep in (lambda: cothread.Sleep(-1), lambda: cothread.SleepUntil(0), lambda: cothread.Sleep(0)):
        ran.clear()
        cothread.Spawn(ran.append, 1)
        sleep()
        assert ran == [1]


def test_what_becomes_ready_during_a_tick_runs_in_the_next():
    order = []

    def first():
        cothread.Spawn(order.append, "spawned by first")
        order.append("first")

    cothread.Spawn(first)
    cothread.Spawn(order.append, "second")
    cothread.Sleep(0.01)
    assert order == ["first", "second", "spawned by first"]


def test_yield_returns_when_nothing_else_is_ready():
    steps = []

    def work():
        for i in range(5):
            steps.append(i)
            cothread.Sleep(0)

    cothread.Spawn(work)
    start = time.monotonic()
    cothread.Yield(60)
    assert steps == list(range(5)) and time.monotonic() - start < 50
    # Without a timeout, one round.
    steps.clear()
    cothread.Spawn(work)
    cothread.Yield()
    assert steps == [0]


def test_yield_returns_after_its_timeout():
    stop = []

    def busy():
        while not stop:
            cothread.Sleep(0)

    cothread.Spawn(busy)
    start = time.monotonic()
    cothread.Yield(0.05)
    assert time.monotonic() - start >= 0.05
    stop.append(1)


def test_endless_yielders_starve_neither_timers_nor_descriptors():
    seen = []
    read_end, write_end = os.pipe()
    timer = cothread.Timer(0.01, lambda: seen.append("timer"))

    def read():
        cothread.poll_list([(read_end, cothread.POLLIN)])
        seen.append("descriptor")

    def forever():
        while len(seen) < 2:
            cothread.Yield()

    tasks = [cothread.Spawn(forever) for _ in range(5)] + [cothread.Spawn(read)]
    threading.Timer(0.02, os.write, (write_end, b"x")).start()
    cothread.WaitForAll(tasks, 60)
    assert sorted(seen) == ["descriptor", "timer"] and timer is not None
    os.close(read_end)
    os.close(write_end)
