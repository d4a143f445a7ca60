# SPDX-License-Identifier: LGPL-2.1-or-later
"""Spawning, waiting, failing, cancelling."""
import gc
import threading
import time
import weakref

import pytest

from gi.repository import Cothread


def test_a_task_begins_at_the_callers_next_wait():
    order = []
    tasks = [Cothread.spawn(order.append, i) for i in range(5)]
    assert order == []
    Cothread.sleep(0)
    assert order == [0, 1, 2, 3, 4]
    assert all(task.done for task in tasks)


def test_arguments_and_result():
    task = Cothread.spawn(lambda a, b=0, *, c: (a, b, c), 1, b=2, c=3)
    assert task.wait() == (1, 2, 3)
    assert task.wait() == (1, 2, 3)
    assert bool(task) is True


def test_the_decorator_spawns():
    @Cothread.task
    def double(number):
        "Twice."
        Cothread.sleep(0)
        return 2 * number

    assert double.__doc__ == "Twice."
    assert double(21).wait() == 42


def test_any_number_of_tasks_wait_for_one():
    one = Cothread.spawn(lambda: Cothread.sleep(0.01) or "result")
    waiters = [Cothread.spawn(one.wait) for _ in range(10)]
    assert [waiter.wait() for waiter in waiters] == ["result"] * 10


def test_a_wait_raises_what_the_task_raised_with_its_traceback():
    def fail():
        Cothread.sleep(0)
        raise KeyError("key")

    task = Cothread.spawn(fail)
    for _ in range(2):
        with pytest.raises(KeyError) as caught:
            task.wait()
        assert "fail" in [entry.name for entry in caught.traceback]
    assert isinstance(task.exception, KeyError)


def test_a_failure_that_nobody_saw_is_reported_once(reports, capsys):
    def fail():
        raise KeyError("unseen")

    task = Cothread.spawn(fail)
    Cothread.sleep(0.01)
    assert reports == []
    del task
    gc.collect()
    assert [type(error) for error in reports] == [KeyError]
    assert "fail (test_task.py:" in capsys.readouterr().err


def test_a_failure_that_somebody_saw_is_not_reported(reports):
    task = Cothread.spawn(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        task.wait()
    del task
    gc.collect()
    assert reports == []


def test_system_exit_in_a_task_ends_the_task_only(reports):
    def leave():
        raise SystemExit(3)

    task = Cothread.spawn(leave)
    with pytest.raises(SystemExit):
        task.wait()
    Cothread.spawn(leave)
    Cothread.sleep(0)
    assert reports == []


def test_cancelling_raises_in_the_wait_and_in_each_that_follows():
    seen = []

    def stubborn():
        for _ in range(3):
            try:
                Cothread.sleep(60)
            except Cothread.Cancelled:
                seen.append("cancelled")
        return "ended"

    task = Cothread.spawn(stubborn)
    Cothread.sleep(0)
    task.cancel()
    assert task.cancelled
    assert task.wait() == "ended"
    assert seen == ["cancelled"] * 3


def test_cancellation_is_no_exception_that_handlers_catch():
    assert not issubclass(Cothread.Cancelled, Exception)


def test_a_task_cancelled_before_it_began_never_runs():
    ran = []
    token = type("Token", (), {})()
    task = Cothread.spawn(lambda token: ran.append(1), token)
    alive = weakref.ref(token)
    del token
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    assert ran == []
    assert alive() is None


def test_a_cancelled_task_in_a_shield_cleans_up_first():
    def work():
        try:
            Cothread.sleep(60)
        finally:
            with Cothread.shield():
                Cothread.sleep(0.01)
                order.append("cleaned up")

    order = []
    task = Cothread.spawn(work)
    Cothread.sleep(0)
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    assert order == ["cleaned up"]


def test_wait_times_out_and_the_task_goes_on():
    event = Cothread.Event()
    task = Cothread.spawn(event.wait)
    with pytest.raises(Cothread.TimedOut):
        task.wait(0)
    with pytest.raises(TimeoutError):
        task.wait(timeout=0.001)
    event.signal("done")
    assert task.wait() == "done"


def test_a_timeout_may_be_a_deadline():
    with pytest.raises(Cothread.TimedOut):
        Cothread.Event().wait((time.time() + 0.01,))
    with pytest.raises(Cothread.TimedOut):
        Cothread.Event().wait((0,))
    Cothread.spawn(lambda: 1).wait((None,))


@pytest.mark.parametrize("timeout, error", [
    ("1", TypeError), ([1], TypeError), ((1, 2), TypeError), (float("nan"), ValueError), (1j, TypeError),
    (("x",), TypeError)])
def test_a_wrong_timeout_is_an_exception(timeout, error):
    with pytest.raises(error):
        Cothread.Event().wait(timeout)
    with pytest.raises(error):
        Cothread.sleep(timeout)


def test_huge_timeouts_are_for_ever_and_negative_ones_have_passed():
    event = Cothread.Event()
    task = Cothread.spawn(event.wait, 1e300)
    other = Cothread.spawn(event.wait, float("inf"))
    Cothread.sleep(0)
    event.signal(1)
    event_value = task.wait()
    event.signal(2)
    assert (event_value, other.wait()) == (1, 2)
    with pytest.raises(Cothread.TimedOut):
        event.wait(-5)


@pytest.mark.parametrize("call", [
    lambda: Cothread.spawn(), lambda: Cothread.spawn(3), lambda: Cothread.spawn_task(print, [1]),
    lambda: Cothread.spawn_task(print, (), 5), lambda: Cothread.spawn_task(print, (), name=5), lambda: Cothread.Task()])
def test_what_cannot_be_spawned_is_a_type_error(call):
    with pytest.raises(TypeError):
        call()


def test_names_tell_function_file_and_line():
    def worker():
        pass

    task = Cothread.spawn(worker)
    line = worker.__code__.co_firstlineno
    name = task.name
    assert name.endswith(f"worker (test_task.py:{line})")
    assert name in repr(task)
    assert Cothread.spawn_task(worker, (), name="mine").name == "mine"
    assert "builtin" in Cothread.spawn(len, ()).name


def test_current_task():
    assert Cothread.current_task() is None
    task = Cothread.spawn(Cothread.current_task)
    assert task.wait() is task


def test_a_task_cannot_wait_for_itself():
    def wait_for_me():
        with pytest.raises(Cothread.WrongContext):
            Cothread.current_task().wait()
        with pytest.raises(Cothread.WrongContext):
            Cothread.wait_any([Cothread.current_task()])

    Cothread.spawn(wait_for_me).wait()


def test_the_frame_of_a_parked_task_tells_where_it_waits(capsys):
    def inner():
        Cothread.sleep(60)

    def outer():
        inner()

    task = Cothread.spawn(outer)
    assert task.get_frame() is None
    Cothread.sleep(0)
    frame = task.get_frame()
    assert [frame.f_code.co_name, frame.f_back.f_code.co_name, frame.f_back.f_back] == ["inner", "outer", None]
    Cothread.dump_tasks()
    printed = capsys.readouterr().err
    assert "in inner" in printed and "waiting for sleep" in printed
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    assert task.get_frame() is None


def test_a_task_that_nobody_holds_goes_on():
    seen = []
    Cothread.spawn(lambda: Cothread.sleep(0.001) or seen.append(1))
    gc.collect()
    Cothread.sleep(0)
    gc.collect()
    while not seen:
        Cothread.sleep(0.001)


def test_locals_of_a_finished_task_are_freed():
    class Token:
        pass

    def work(token):
        Cothread.sleep(0)
        return None

    token = Token()
    alive = weakref.ref(token)
    task = Cothread.spawn(work, token)
    del token
    task.wait()
    assert alive() is None


def test_another_thread_gets_a_clear_exception():
    task = Cothread.spawn(Cothread.sleep, 60)
    event = Cothread.Event()
    errors = []

    def misuse():
        for call in (task.wait, task.cancel, event.wait, event.signal, lambda: Cothread.sleep(0),
                     lambda: Cothread.spawn(print), Cothread.Event, Cothread.yield_, task.get_frame):
            try:
                call()
            except RuntimeError as error:
                errors.append(type(error).__name__)

    thread = threading.Thread(target=misuse)
    thread.start()
    thread.join()
    assert errors == ["WrongThread"] * 4 + ["WrongContext"] * 4 + ["WrongThread"]


def test_a_small_stack_gives_a_recursion_error_and_no_crash():
    def recurse(n):
        return n == 0 or max([n], key=lambda _: recurse(n - 1))

    task = Cothread.spawn_task(recurse, (5000,), stack_size=64 * 1024)
    with pytest.raises(RecursionError):
        task.wait()


def test_an_impossible_stack_size_is_an_exception():
    with pytest.raises((ValueError, MemoryError)):
        Cothread.spawn_task(print, (), stack_size=1 << 60)
    with pytest.raises(ValueError):
        Cothread.spawn_task(print, (), stack_size=-1)


def test_the_scheduler_lists_tasks():
    scheduler = Cothread.Scheduler.get_default()
    tasks = [Cothread.spawn(Cothread.sleep, 10) for _ in range(3)]
    assert [task for task in scheduler.list_tasks() if task in tasks] == tasks
    assert len([info.name for info in scheduler.list_task_infos(1000)]) >= 3
    for task in tasks:
        task.cancel()
    Cothread.sleep(0)
    assert not any(task in tasks for task in scheduler.list_tasks())
