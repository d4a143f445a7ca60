# SPDX-License-Identifier: LGPL-2.1-or-later
"""Event, Pulse, EventQueue, RLock, Semaphore, Scope, Timer, timeout, wait_any."""
import gc
import os
import weakref

import pytest

from gi.repository import Cothread, GLib


def settle():
    for _ in range(5):
        Cothread.sleep(0)


# ---- Event ----

def test_an_event_brings_its_value_to_one_waiter_in_order():
    event = Cothread.Event()
    tasks = [Cothread.spawn(event.wait) for _ in range(3)]
    settle()
    for value in "abc":
        event.signal(value)
        settle()
    assert [task.wait() for task in tasks] == ["a", "b", "c"]
    assert not event


def test_a_latched_event_wakes_all_and_stays():
    event = Cothread.Event(auto_reset=False)
    tasks = [Cothread.spawn(event.wait) for _ in range(3)]
    settle()
    event.signal("value")
    assert [task.wait() for task in tasks] == ["value"] * 3
    assert event.wait() == "value" and event
    event.reset()
    assert not event


def test_the_last_value_wins_and_none_is_a_value():
    event = Cothread.Event()
    event.signal(1)
    event.signal(2)
    assert event.wait() == 2
    event.signal(None)
    assert event.wait() is None
    event.signal()
    assert event.wait() is None


def test_an_event_raises_an_exception():
    event = Cothread.Event()
    event.signal_exception(KeyError("signalled"))
    with pytest.raises(KeyError):
        event.wait()
    assert not event
    event.signal_exception(KeyError)
    with pytest.raises(KeyError):
        event.wait()
    latched = Cothread.Event(False)
    latched.signal_exception(ValueError("twice"))
    for _ in range(2):
        with pytest.raises(ValueError):
            latched.wait()
    with pytest.raises(TypeError):
        event.signal_exception("no exception")


def test_a_wait_on_a_signalled_event_does_not_switch():
    event = Cothread.Event()
    event.signal()

    def wait():
        before = Cothread.current_task().switches
        event.wait()
        return Cothread.current_task().switches - before

    assert Cothread.spawn(wait).wait() == 0


def test_values_that_nobody_takes_are_freed():
    class Token:
        pass

    alive = []
    for drop in (lambda event: None, lambda event: event.signal(), lambda event: event.reset()):
        event = Cothread.Event()
        token = Token()
        alive.append(weakref.ref(token))
        event.signal(token)
        del token
        drop(event)
        del event
    assert [reference() for reference in alive] == [None] * 3


def test_abort_wait_eats_one_signal():
    event = Cothread.Event()
    event.abort_wait()
    event.signal(1)
    assert not event
    event.signal(2)
    assert event.wait(0) == 2


# ---- Pulse ----

def test_a_pulse_wakes_who_waits_now():
    pulse = Cothread.Pulse()
    assert pulse.signal() == 0
    tasks = [Cothread.spawn(pulse.wait) for _ in range(3)]
    settle()
    assert pulse.signal(False) == 1
    settle()
    assert [task.done for task in tasks] == [True, False, False]
    assert pulse.signal(wake_all=True) == 2
    with pytest.raises(Cothread.TimedOut):
        pulse.wait(0)


# ---- EventQueue ----

def test_a_queue_is_iterated_until_it_is_closed():
    queue = Cothread.EventQueue()
    taker = Cothread.spawn(list, queue)
    for i in range(5):
        assert queue.signal(i)
        Cothread.sleep(0)
    queue.close()
    assert taker.wait() == [0, 1, 2, 3, 4]
    assert queue.closed
    with pytest.raises(Cothread.Closed):
        queue.wait()
    with pytest.raises(Cothread.Closed):
        queue.signal(1)


def test_a_bounded_queue_says_when_it_is_full():
    queue = Cothread.EventQueue(2)
    assert [queue.signal(i) for i in range(3)] == [True, True, False]
    assert (len(queue), bool(queue)) == (2, True)
    assert queue.wait() == 0
    queue.abort_wait()
    assert not queue
    queue.abort_wait()
    assert queue.signal("eaten") and len(queue) == 0
    queue.signal(1)
    queue.reset()
    assert len(queue) == 0
    for wrong in (0, -1, 1 << 40):
        with pytest.raises((ValueError, OverflowError)):
            Cothread.EventQueue(wrong)


# ---- RLock, Semaphore ----

def test_a_lock_lets_one_in_and_its_holder_again():
    lock = Cothread.RLock()
    order = []

    def work(name):
        with lock, lock:
            order.append(name)
            Cothread.sleep(0)
            order.append(name)

    for task in [Cothread.spawn(work, name) for name in "abc"]:
        task.wait()
    assert order == list("aabbcc")
    assert not lock.held


def test_a_lock_is_released_by_its_holder_only():
    lock = Cothread.RLock()
    with pytest.raises(RuntimeError):
        lock.release()
    with lock:
        with pytest.raises(RuntimeError):
            Cothread.spawn(lock.release).wait()
        with pytest.raises(Cothread.TimedOut):
            Cothread.spawn(lock.acquire, 0.001).wait()
    assert lock.acquire(timeout=0)
    lock.release()


def test_a_semaphore_counts():
    semaphore = Cothread.Semaphore(2, 2)
    busy = []

    def work():
        with semaphore:
            busy.append(semaphore.available)
            Cothread.sleep(0)

    for task in [Cothread.spawn(work) for _ in range(4)]:
        task.wait()
    assert max(busy) == 1 and semaphore.available == 2
    with pytest.raises(ValueError):
        semaphore.release()
    with pytest.raises(ValueError):
        Cothread.Semaphore(3, 2)


# ---- Scope ----

def test_a_scope_waits_for_its_tasks():
    done = []
    with Cothread.Scope() as scope:
        for i in range(3):
            scope.spawn(lambda i=i: Cothread.sleep(0.001 * i) or done.append(i))
    assert sorted(done) == [0, 1, 2]
    assert scope.tasks == set()
    with pytest.raises(RuntimeError):
        scope.spawn(print)


def test_the_first_failure_cancels_the_siblings():
    unwound = []

    def sibling():
        try:
            Cothread.sleep(60)
        finally:
            unwound.append(1)

    with pytest.raises(ZeroDivisionError):
        with Cothread.Scope() as scope:
            scope.spawn(sibling)
            scope.spawn(sibling)
            scope.spawn(lambda: 1 / 0)
            scope.spawn(sibling)
    assert unwound == [1, 1]  # the last one had not begun


def test_a_failure_in_the_block_cancels_the_tasks():
    with pytest.raises(KeyError):
        with Cothread.Scope() as scope:
            tasks = [scope.spawn(Cothread.sleep, 60) for _ in range(3)]
            Cothread.sleep(0)
            raise KeyError
    assert all(task.done for task in tasks)


def test_cancelling_the_owner_cancels_the_scope():
    tasks = []

    def own():
        with Cothread.Scope() as scope:
            tasks.extend(scope.spawn(Cothread.sleep, 60) for _ in range(3))

    owner = Cothread.spawn(own)
    settle()
    owner.cancel()
    with pytest.raises(Cothread.Cancelled):
        owner.wait()
    assert [task.done for task in tasks] == [True] * 3


def test_a_timeout_ends_a_scope():
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.01) as limit, Cothread.Scope() as scope:
            task = scope.spawn(Cothread.sleep, 60)
    assert limit.expired and task.done


def test_a_scope_can_be_cancelled_by_hand():
    with Cothread.Scope() as scope:
        for _ in range(3):
            scope.spawn(Cothread.sleep, 60)
        settle()
        scope.spawn(Cothread.sleep, 60)  # has not begun
        scope.cancel()


# ---- timeout ----

def test_a_timeout_reaches_every_wait_in_the_block():
    waits = [lambda: Cothread.sleep(60), Cothread.Event().wait, Cothread.EventQueue().wait, Cothread.Pulse().wait,
             lambda: Cothread.wait_any([Cothread.Event()]), lambda: [Cothread.yield_() for _ in iter(int, 1)]]
    for wait in waits:
        with pytest.raises(Cothread.TimedOut):
            with Cothread.timeout(0.005) as limit:
                wait()
        assert limit.expired


def test_of_two_timeouts_the_nearest_counts_and_the_outer_comes_back():
    with Cothread.timeout(60) as outer:
        with pytest.raises(Cothread.TimedOut):
            with Cothread.timeout(0.001) as inner:
                Cothread.sleep(30)
        assert inner.expired
        Cothread.sleep(0.002)
    assert not outer.expired
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.001) as outer:
            with Cothread.timeout(60) as inner:
                Cothread.sleep(30)
    assert outer.expired and not inner.expired
    Cothread.sleep(0.002)


def test_a_timeout_is_the_tasks_own():
    event = Cothread.Event()
    task = Cothread.spawn(event.wait)
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.001):
            task.wait()
    event.signal("waited on")
    assert task.wait() == "waited on"
    with Cothread.timeout(None):
        Cothread.sleep(0)
    with pytest.raises(ValueError):
        Cothread.timeout(float("nan"))


# ---- Timer ----

def test_a_timer_calls_once_in_a_task():
    calls = []
    timer = Cothread.Timer(0.001, lambda *args: Cothread.sleep(0) or calls.append(args), 1, 2)
    assert timer.pending
    while not calls:
        Cothread.sleep(0.001)
    settle()
    assert calls == [(1, 2)] and not timer.pending
    with pytest.raises(RuntimeError):
        timer.reset(1)


def test_a_timer_repeats_until_it_is_cancelled_even_by_itself():
    calls = []

    def tick():
        calls.append(1)
        if len(calls) == 3:
            timer.cancel()

    timer = Cothread.Timer(0.001, tick, retrigger=True)
    while len(calls) < 3:
        Cothread.sleep(0.001)
    Cothread.sleep(0.01)
    assert len(calls) == 3


def test_a_timer_is_reset_and_suspended():
    calls = []
    timer = Cothread.Timer(None, calls.append, 1, reuse=True)
    settle()
    assert not timer.pending
    timer.reset(0.001)
    Cothread.sleep(0.03)
    assert calls == [1]
    timer.reset(0.01)
    timer.reset(None)
    Cothread.sleep(0.03)
    assert calls == [1]
    timer.reset(0)
    timer.cancel()
    Cothread.sleep(0.01)
    assert calls == [1]


def test_a_failing_timer_is_reported_and_goes_on(reports):
    calls = []

    def fail():
        calls.append(1)
        raise KeyError

    timer = Cothread.Timer(0.001, fail, retrigger=True)
    while len(calls) < 2:
        Cothread.sleep(0.001)
    timer.cancel()
    assert {type(error) for error in reports} == {KeyError}


# ---- wait_any ----

def test_wait_any_takes_the_first_and_leaves_the_others():
    event, queue, pulse = Cothread.Event(), Cothread.EventQueue(), Cothread.Pulse()
    task = Cothread.spawn(lambda: Cothread.sleep(0.005) or "task")
    waitables = [event, queue, pulse, task]
    with pytest.raises(Cothread.TimedOut):
        Cothread.wait_any(waitables, 0)
    queue.signal("item")
    event.signal("value")
    assert Cothread.wait_any(waitables) == (0, "value")
    assert Cothread.wait_any(waitables) == (1, "item")
    waiter = Cothread.spawn(Cothread.wait_any, waitables)
    settle()
    pulse.signal()
    assert waiter.wait() == (2, None)
    assert Cothread.wait_any(waitables) == (3, "task")


def test_wait_any_waits_for_descriptors():
    read_end, write_end = os.pipe()
    try:
        waiter = Cothread.spawn(Cothread.wait_any, [Cothread.Event(), (read_end, GLib.IO_IN)])
        settle()
        os.write(write_end, b"x")
        assert waiter.wait() == (1, GLib.IO_IN)
        assert Cothread.wait_fd(read_end, GLib.IO_IN) == GLib.IO_IN
        with pytest.raises(Cothread.TimedOut):
            os.read(read_end, 1)
            Cothread.wait_fd(read_end, GLib.IO_IN, 0.001)
    finally:
        os.close(read_end)
        os.close(write_end)


def test_wait_any_raises_what_came():
    def fail():
        raise KeyError

    with pytest.raises(KeyError):
        Cothread.wait_any([Cothread.Event(), Cothread.spawn(fail)])
    closed = Cothread.EventQueue()
    closed.close()
    with pytest.raises(Cothread.Closed):
        Cothread.wait_any([closed])
    cancelled = Cothread.spawn(fail)
    cancelled.cancel()
    with pytest.raises(Cothread.Cancelled):
        Cothread.wait_any([cancelled])
    with pytest.raises(TypeError):
        Cothread.wait_any([1])
    with pytest.raises(TypeError):
        Cothread.wait_any(None)


def test_waitables_are_collected_in_cycles():
    class Owner:
        pass

    class MyEvent(Cothread.Event):
        pass

    owner = Owner()
    owner.event = MyEvent()
    owner.event.owner = owner
    alive = weakref.ref(owner)
    del owner
    gc.collect()
    assert alive() is None
