# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Event, Pulse, EventQueue; RLock, WaitForAll."""
import cothread
from support import raises


def started(function, *args):
    task = cothread.Spawn(function, *args)
    cothread.Sleep(0)
    return task


def test_a_signal_wakes_one_waiter():
    event = cothread.Event()
    tasks = [started(event.Wait) for _ in range(3)]
    event.Signal("x")
    cothread.Sleep(0)
    assert [bool(task) for task in tasks] == [True, False, False] and tasks[0].Wait() == "x" and not event


def test_the_value_can_be_taken_before_the_waiter_runs_who_waits_on_under_its_old_deadline():
    event = cothread.Event()
    waiter = started(lambda: raises(cothread.Timedout, event.Wait, 0.2))
    event.Signal(1)
    assert event.Wait() == 1
    cothread.Sleep(0.1)
    assert not waiter
    assert waiter.Wait(60) is not None

    waiter = started(event.Wait, 60)
    event.Signal(1)
    assert event.Wait() == 1
    cothread.Sleep(0)
    event.Signal(2)
    assert waiter.Wait(60) == 2


def test_one_slot_the_last_value_wins():
    event = cothread.Event()
    event.Signal(1)
    event.Signal(2)
    assert event.Wait() == 2
    raises(cothread.Timedout, event.Wait, 0)


def test_without_auto_reset_it_is_latched_and_wakes_all_until_reset():
    event = cothread.Event(auto_reset=False)
    tasks = [started(event.Wait) for _ in range(3)]
    event.Signal(7)
    assert cothread.WaitForAll(tasks) == [7, 7, 7] and event and event.Wait() == event.Wait() == 7
    event.Reset()
    assert not event
    raises(cothread.Timedout, event.Wait, 0)


def test_an_exception_is_raised_in_the_waiter_and_consumed_only_with_auto_reset():
    event = cothread.Event()
    event.SignalException(KeyError("k"))
    assert raises(KeyError, event.Wait).args == ("k",) and not event
    latched = cothread.Event(False)
    latched.SignalException(ValueError)
    raises(ValueError, latched.Wait)
    raises(ValueError, latched.Wait)
    latched.Signal(3)
    assert latched.Wait() == 3


def test_abort_wait_eats_one_future_signal_and_does_nothing_to_a_latched_event():
    event = cothread.Event()
    event.AbortWait()
    event.Signal(1)
    assert not event
    event.Signal(2)
    assert event.Wait() == 2
    latched = cothread.Event(False)
    latched.AbortWait()
    latched.Signal(1)
    assert latched.Wait() == 1


def test_a_pulse_has_no_state():
    pulse = cothread.Pulse()
    pulse.Signal()
    raises(cothread.Timedout, pulse.Wait, 0)
    tasks = [started(pulse.Wait) for _ in range(3)]
    pulse.Signal(False)
    cothread.Sleep(0)
    assert [bool(task) for task in tasks] == [True, False, False]
    pulse.Signal(wake_all=True)
    cothread.Sleep(0)
    assert all(tasks)


def test_a_queue_keeps_the_order_and_does_not_suspend_where_it_has_something():
    queue = cothread.EventQueue()
    ran = []
    assert not queue and len(queue) == 0
    for i in range(3):
        assert queue.Signal(i)
    cothread.Spawn(ran.append, 1)
    assert queue and len(queue) == 3 and [queue.Wait() for _ in range(3)] == [0, 1, 2] and ran == []
    raises(cothread.Timedout, queue.Wait, 0.001)


def test_a_full_queue_returns_false():
    queue = cothread.EventQueue(max_length=2)
    assert [queue.Signal(i) for i in range(3)] == [True, True, False] and len(queue) == 2
    queue.Reset()
    assert len(queue) == 0 and queue.Signal(1)


def test_close_wakes_all_lets_the_queue_drain_and_then_stops():
    queue = cothread.EventQueue()
    waiters = [started(lambda: raises(StopIteration, queue.Wait)) for _ in range(3)]
    queue.close()
    assert all(error is not None for error in cothread.WaitForAll(waiters, 60))
    raises(AssertionError, queue.Signal, 1)

    queue = cothread.EventQueue()
    for i in range(3):
        queue.Signal(i)
    queue.close()
    assert list(queue) == [0, 1, 2]
    raises(StopIteration, queue.Wait)


def test_iterating_takes_values_until_close():
    queue = cothread.EventQueue()
    task = started(lambda: [value for value in queue])
    for i in range(3):
        queue.Signal(i)
        cothread.Sleep(0)
    queue.close()
    assert task.Wait() == [0, 1, 2]


def test_abort_wait_of_a_queue_drops_one_value():
    queue = cothread.EventQueue()
    queue.AbortWait()
    queue.Signal(1)
    queue.Signal(2)
    assert queue.Wait() == 2


def test_wait_for_all_gives_the_results_in_order():
    events = [cothread.Event() for _ in range(3)]
    for i in (2, 0, 1):
        cothread.Timer(0.001, lambda i=i: events[i].Signal(i))
    assert cothread.WaitForAll(events, 60) == [0, 1, 2]
    for i in range(3):
        events[i].Signal(i)
    assert list(cothread.WaitForAll(iter(events), iterator=True)) == [0, 1, 2]


def test_wait_for_all_has_one_deadline_and_consumes_the_signals_of_what_it_gave_up():
    events = [cothread.Event() for _ in range(3)]
    events[0].Signal(0)
    raises(cothread.Timedout, cothread.WaitForAll, events, 0.01)
    for event in events:
        event.Signal(1)
    assert [bool(event) for event in events] == [True, False, False]


def test_wait_for_all_raises_a_failure_and_gives_up_the_rest():
    events = [cothread.Event() for _ in range(3)]
    events[0].SignalException(KeyError)
    raises(KeyError, cothread.WaitForAll, events)
    for event in events:
        event.Signal(1)
    assert [bool(event) for event in events] == [True, False, False]

    def fail():
        raise ValueError

    other = cothread.Event()
    raises(ValueError, cothread.WaitForAll, [cothread.Spawn(fail, raise_on_wait=True), other])
    other.Signal()
    assert not other


def test_a_lock_is_reentrant_for_its_task_and_checks_the_owner():
    lock = cothread.RLock()
    with lock:
        lock.acquire()
        task = started(lambda: raises(cothread.Timedout, lock.acquire, 0.001))
        assert task.Wait(60) is not None
        thief = started(lambda: raises(AssertionError, lock.release))
        assert thief.Wait(60) is not None
        lock.release()
        waiter = started(lambda: lock.acquire(60) and lock.release())
        assert not waiter
    cothread.Sleep(0)
    assert waiter
    raises(AssertionError, lock.release)
    holder = started(lambda: lock.acquire() and cothread.Sleep(0.02) or lock.release())
    raises(cothread.Timedout, lock.acquire, timeout=0)
    holder.Wait()
