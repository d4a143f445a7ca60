# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Callback, CallbackResult, ThreadedEventQueue, and wrong threads."""
import multiprocessing
import os
import select
import sys
import threading
import time

import cothread
from support import raises


def in_thread(function, *args):
    """Runs it in a thread, lets tasks run meanwhile, and returns its result."""
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(function(*args)))
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive():
        assert time.monotonic() < end
        cothread.Sleep(0.001)
    thread.join()
    return outcome[0]


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        cothread.Sleep(0.001)


def test_callbacks_keep_the_order_of_each_producer():
    seen = {}

    def post(name):
        for i in range(500):
            cothread.Callback(lambda i: seen.setdefault(name, []).append(i), i)

    threads = [threading.Thread(target=post, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(seen) == 4 and all(len(values) == 500 for values in seen.values()))
    assert all(values == list(range(500)) for values in seen.values())
    for thread in threads:
        thread.join()


def test_a_callback_is_always_asynchronous_and_may_suspend():
    seen = []

    def action(value):
        cothread.Sleep(0.001)
        seen.append(value)

    cothread.Callback(action, 1)
    assert seen == []
    wait_until(lambda: seen == [1])


def test_an_exception_in_a_callback_is_reported_and_stops_nothing():
    seen, reported = [], []
    old, sys.unraisablehook = sys.unraisablehook, lambda what: reported.append(what.exc_type)
    try:
        cothread.Callback(lambda: 1 / 0)
        cothread.Callback(seen.append, 1)
        wait_until(lambda: seen)
    finally:
        sys.unraisablehook = old
    assert reported == [ZeroDivisionError]


def test_callback_result_is_a_plain_call_in_the_schedulers_thread():
    ran = []
    cothread.Spawn(ran.append, 1)
    assert cothread.CallbackResult(lambda a, b: (a, b), 1, b=2) == (1, 2) and ran == []
    raises(ZeroDivisionError, cothread.CallbackResult, lambda: 1 / 0)
    cothread.Sleep(0)


def test_callback_result_runs_in_the_schedulers_thread():
    def action(a, b):
        cothread.Sleep(0.001)
        return a, b, threading.get_ident()

    for options in ({}, {"callback_spawn": False}, {"callback_timeout": 60}):
        assert in_thread(lambda: cothread.CallbackResult(action, 1, b=2, **options)) == (1, 2, cothread.scheduler_thread_id)


def test_callback_result_raises_again_what_was_raised():
    assert in_thread(raises, ZeroDivisionError, cothread.CallbackResult, lambda: 1 / 0) is not None
    assert in_thread(raises, SystemExit, cothread.CallbackResult, sys.exit, 1) is not None


def test_callback_result_times_out():
    done = cothread.Event()
    assert in_thread(lambda: raises(cothread.Timedout, cothread.CallbackResult, done.Wait, callback_timeout=0.01)) is not None
    done.Signal()


def test_callback_result_takes_a_queue_of_the_callers():
    queued = []

    def queue(action, *args):
        queued.append(action)
        cothread.Callback(action, *args)

    assert in_thread(lambda: cothread.CallbackResult(os.getpid, callback_queue=queue)) == os.getpid() and len(queued) == 1


def test_a_call_that_gets_lost_is_an_error_and_no_hang():
    error = in_thread(lambda: raises(Exception, cothread.CallbackResult, print, callback_queue=lambda *call: None))
    assert "ended" in str(error)


def test_anything_else_from_a_wrong_thread_is_an_assertion_error():
    event, queue, lock, pulse, task = cothread.Event(), cothread.EventQueue(), cothread.RLock(), cothread.Pulse(), cothread.Spawn(print, end="")
    task.Wait()
    for call in (event.Signal, event.Wait, lambda: queue.Signal(1), queue.Wait, queue.close, lock.acquire, lock.release,
                 pulse.Wait, pulse.Signal, task.Wait, lambda: cothread.Sleep(0), cothread.Yield, lambda: cothread.Spawn(print),
                 cothread.Event, lambda: cothread.Timer(1, print), cothread.Quit, cothread.WaitForQuit,
                 lambda: cothread.SleepUntil(0), event.Reset, event.AbortWait):
        assert in_thread(raises, AssertionError, call) is not None
    assert not event and len(queue) == 0


def test_the_schedulers_thread_is_known():
    assert cothread.scheduler_thread_id == threading.get_ident()


def test_a_threaded_queue_from_threads_to_a_task_and_back():
    there, back = cothread.ThreadedEventQueue(), cothread.ThreadedEventQueue()

    def echo():
        while True:
            value = there.Wait()
            if value is None:
                return
            back.Signal(value * 2)

    task = cothread.Spawn(echo)

    def ask():
        answers = []
        for i in range(100):
            there.Signal(i)
            answers.append(back.Wait(60))
        there.Signal(None)
        return answers

    assert in_thread(ask) == [2 * i for i in range(100)]
    task.Wait()
    there.close()
    back.close()


def test_a_threaded_queue_has_many_producers_and_consumers():
    queue, seen, threads = cothread.ThreadedEventQueue(), [], []

    def consume():
        while True:
            value = queue.Wait()
            if value is None:
                return
            seen.append(value)

    tasks = [cothread.Spawn(consume) for _ in range(3)]
    threads = [threading.Thread(target=consume) for _ in range(3)]
    threads += [threading.Thread(target=lambda: [queue.Signal(i) for i in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(seen) == 2000)
    for _ in range(6):
        queue.Signal(None)
    cothread.WaitForAll(tasks, 60)
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(list(range(500)) * 4)


def test_a_threaded_queue_does_not_suspend_where_it_has_something_and_times_out():
    queue, ran = cothread.ThreadedEventQueue(), []
    queue.Signal(1)
    queue.Signal(2)
    cothread.Spawn(ran.append, 1)
    assert len(queue) == 2 and (queue.Wait(), queue.Wait()) == (1, 2) and ran == []
    raises(cothread.Timedout, queue.Wait, 0.001)
    assert in_thread(raises, cothread.Timedout, queue.Wait, 0.001) is not None


def test_the_descriptor_of_a_threaded_queue_is_readable_while_it_has_something():
    queue = cothread.ThreadedEventQueue()

    def readable():
        return bool(select.select([queue.wait_descriptor], [], [], 0)[0])

    assert not readable()
    queue.Signal(1)
    queue.Signal(2)
    queue.Wait()
    assert readable()
    queue.Wait()
    assert not readable()
    threading.Timer(0.01, queue.Signal, (3,)).start()
    assert cothread.select([queue.wait_descriptor], [], [], 60)[0] and queue.Wait() == 3


def test_a_hundred_thousand_values_do_not_block_the_producer():
    queue = cothread.ThreadedEventQueue()
    for i in range(100_000):
        queue.Signal(i)
    assert [queue.Wait() for _ in range(100_000)] == list(range(100_000))


def work(number):
    """In a child of multiprocessing."""
    def one(i):
        cothread.Sleep(0.001)
        return i * number

    results = cothread.WaitForAll([cothread.Spawn(one, i) for i in range(3)])
    called = cothread.Event()
    cothread.Callback(called.Signal, "called")
    thread = threading.Thread(target=lambda: results.append(cothread.CallbackResult(lambda: number)))
    thread.start()
    assert called.Wait(60) == "called"
    while thread.is_alive():
        cothread.Sleep(0.001)
    cothread.Quit()
    cothread.WaitForQuit()
    assert cothread.scheduler_thread_id == threading.get_ident()
    return results


def test_it_works_in_a_child_of_multiprocessing():
    parked = cothread.Spawn(cothread.Sleep, None)
    cothread.Sleep(0)
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(work, [1, 2]) == [[0, n, 2 * n, n] for n in (1, 2)]
    assert not parked


def test_callbacks_work_at_once_in_a_child():
    child = os.fork()
    if child == 0:
        status = 1
        try:
            seen = []
            cothread.Callback(seen.append, 1)
            cothread.Sleep(0.001)
            wait_until(lambda: seen)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
