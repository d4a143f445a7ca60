# SPDX-License-Identifier: LGPL-2.1-or-later
"""Work from other threads, and in other threads."""
import sys
import threading
import time
import weakref

import pytest

from gi.repository import Cothread, GLib


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        Cothread.sleep(0.001)


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


def test_callbacks_of_a_thread_run_in_order_in_the_main_thread():
    seen = []

    def note(number):
        assert threading.current_thread() is threading.main_thread()
        seen.append(number)

    def post():
        for i in range(20000):
            Cothread.callback(note, i)

    thread = in_thread(post)
    wait_until(lambda: len(seen) == 20000)
    thread.join()
    assert seen == list(range(20000))


def test_several_threads_keep_their_own_order():
    seen = [[] for _ in range(4)]

    def post(which):
        for i in range(3000):
            Cothread.callback(seen[which].append, i)

    threads = [in_thread(post, which) for which in range(4)]
    wait_until(lambda: sum(map(len, seen)) == 12000)
    for thread in threads:
        thread.join()
    assert seen == [list(range(3000))] * 4


def test_a_callback_is_always_asynchronous_and_may_wait():
    order = []

    def slow():
        order.append("begins")
        Cothread.sleep(0.01)
        order.append("ends")

    Cothread.callback(slow)
    Cothread.callback(order.append, "next")
    assert order == []
    wait_until(lambda: len(order) == 3)
    assert order == ["begins", "next", "ends"]


def test_many_callbacks_that_wait():
    done = []

    def wait(number):
        Cothread.sleep(0.001)
        try:
            raise ValueError(number)
        except ValueError as error:
            Cothread.sleep(0.001)
            assert sys.exc_info()[1] is error
        done.append(number)

    for i in range(500):
        Cothread.callback(wait, i)
    wait_until(lambda: len(done) == 500)


def test_a_failing_callback_is_reported_and_the_queue_goes_on(monkeypatch):
    reported, seen = [], []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_value))

    def fail():
        raise KeyError("callback")

    Cothread.callback(fail)
    Cothread.callback(seen.append, 1)
    wait_until(lambda: seen)
    assert [type(error) for error in reported] == [KeyError]


def test_arguments_are_dropped_when_the_callback_has_run():
    class Token:
        pass

    token = Token()
    alive = weakref.ref(token)
    Cothread.callback(lambda token: None, token)
    del token
    wait_until(lambda: alive() is None)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError):
        Cothread.callback()
    with pytest.raises(TypeError):
        Cothread.callback(3)


def test_a_bounded_queue_raises_full():
    queue = Cothread.Scheduler.get_default().get_callback_queue()
    old = queue.get_max_length()
    queue.set_max_length(5)
    try:
        with pytest.raises(Cothread.Full):
            for _ in range(10):
                Cothread.callback(lambda: None)
    finally:
        queue.set_max_length(old)
    Cothread.sleep(0.01)


def test_a_thread_blocks_until_there_is_room_without_holding_the_interpreter():
    queue = Cothread.Scheduler.get_default().get_callback_queue()
    old = queue.get_max_length(), queue.get_overflow()
    seen = []
    queue.set_max_length(4)
    queue.set_overflow(Cothread.OverflowPolicy.BLOCK)
    try:
        def post():
            for i in range(2000):
                Cothread.callback(seen.append, i)

        thread = in_thread(post)
        wait_until(lambda: len(seen) == 2000)
        thread.join()
        assert seen == list(range(2000))
    finally:
        queue.set_max_length(old[0])
        queue.set_overflow(old[1])


def test_the_interpreter_is_free_while_the_loop_sleeps():
    """Python threads run while nothing happens here, also right after a task or a callback ran."""
    count = [0]
    stop = threading.Event()

    def spin():
        while not stop.wait(0.0001):
            count[0] += 1

    thread = in_thread(spin)
    loop = GLib.MainLoop()
    GLib.timeout_add(50, lambda: count[0] <= 20 or loop.quit())
    Cothread.callback(lambda: None)
    Cothread.spawn(Cothread.sleep, 0.05)
    loop.run()
    stop.set()
    thread.join()
    assert count[0] > 20


def test_run_in_thread_brings_the_result_or_the_exception():
    def work(number):
        assert threading.current_thread() is not threading.main_thread()
        return 1 / number

    assert Cothread.run_in_thread(work, 2) == 0.5
    with pytest.raises(ZeroDivisionError):
        Cothread.run_in_thread(work, 0)
    tasks = [Cothread.spawn(Cothread.run_in_thread, time.sleep, 0.01) for _ in range(20)]
    for task in tasks:
        task.wait()


def test_a_wait_for_a_thread_is_cancelled_and_times_out():
    release = threading.Event()
    task = Cothread.spawn(Cothread.run_in_thread, release.wait, 30)
    Cothread.sleep(0.01)
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.01):
            Cothread.run_in_thread(release.wait, 30)
    release.set()


def test_a_thread_with_a_context_of_its_own_runs_tasks_of_its_own():
    results = []

    def run():
        context = GLib.MainContext.new()
        context.push_thread_default()
        try:
            def work(number):
                try:
                    raise ValueError(number)
                except ValueError as error:
                    for _ in range(10):
                        Cothread.sleep(0)
                    assert sys.exc_info()[1] is error
                return number

            tasks = [Cothread.spawn(work, i) for i in range(5)]
            results.append([task.wait() for task in tasks])
            _shut_down()
        except BaseException as error:
            results.append(error)
        finally:
            context.pop_thread_default()

    from _cothread import shut_down as _shut_down
    threads = [in_thread(run) for _ in range(4)]
    wait_until(lambda: len(results) == 4)
    for thread in threads:
        thread.join()
    assert results == [[0, 1, 2, 3, 4]] * 4
