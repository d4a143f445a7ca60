# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Timer."""
import time

import _cothread
import cothread
from support import raises, stderr_caught


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        cothread.Sleep(0.001)


def test_it_calls_back_once_in_a_task_of_its_own():
    seen = []

    def called():
        cothread.Sleep(0.001)
        seen.append(_cothread.current_task() is not None)

    cothread.Timer(0.001, called)
    wait_until(lambda: seen)
    cothread.Sleep(0.01)
    assert seen == [True]
    raises(TypeError, cothread.Timer, 1, None)


def test_retriggering_counts_from_the_end_of_the_callback():
    begins, ends = [], []

    def called():
        begins.append(time.monotonic())
        cothread.Sleep(0.02)
        ends.append(time.monotonic())

    timer = cothread.Timer(0.02, called, retrigger=True)
    wait_until(lambda: len(ends) == 4)
    timer.cancel()
    cothread.Sleep(0.05)
    assert len(begins) == 4
    assert all(begin - end >= 0.0199 for begin, end in zip(begins[1:], ends))


def test_cancel_beats_a_timer_that_is_due():
    seen = []
    timer = cothread.Timer(0, lambda: seen.append(1))
    timer.cancel()
    late = cothread.Timer(0.01, lambda: seen.append(2))
    cothread.Sleep(0)
    time.sleep(0.02)
    late.cancel()
    cothread.Sleep(0.01)
    assert seen == []


def test_cancel_from_within_its_own_callback():
    seen = []

    def called():
        seen.append(1)
        timer.cancel()
        cothread.Sleep(0)

    timer = cothread.Timer(0.001, called, retrigger=True)
    wait_until(lambda: seen)
    cothread.Sleep(0.02)
    assert seen == [1]


def test_reset_only_where_reuse_or_retrigger():
    timer = cothread.Timer(60, lambda: None)
    raises(AssertionError, timer.reset, 1)
    timer.cancel()
    for options in ({"reuse": True}, {"retrigger": True}):
        seen = []
        timer = cothread.Timer(60, lambda: seen.append(1), **options)
        cothread.Sleep(0)
        timer.reset(0.001)
        wait_until(lambda: seen)
        timer.cancel()


def test_a_timer_that_was_used_can_be_used_again():
    seen = []
    timer = cothread.Timer(0.001, lambda: seen.append(1), reuse=True)
    for n in (1, 2, 3):
        wait_until(lambda: len(seen) == n)
        cothread.Sleep(0.005)
        assert len(seen) == n
        timer.reset(0.001)
    wait_until(lambda: len(seen) == 4)


def test_reset_none_suspends_and_reset_can_change_retrigger():
    seen = []
    timer = cothread.Timer(0.005, lambda: seen.append(1), reuse=True)
    timer.reset(None)
    cothread.Sleep(0.02)
    assert seen == []
    timer.reset(0.001, retrigger=True)
    wait_until(lambda: len(seen) >= 3)
    timer.reset(None)
    count = len(seen)
    cothread.Sleep(0.01)
    assert len(seen) == count

    late = cothread.Timer(None, lambda: seen.append("late"), reuse=True)
    assert "late" not in seen
    late.reset(0)
    wait_until(lambda: "late" in seen)


def test_a_suspended_timer_holds_no_task():
    before = len(_cothread.tasks())
    timers = [cothread.Timer(None, print, reuse=True) for _ in range(10)]
    other = cothread.Timer(60, print, reuse=True)
    cothread.Sleep(0)
    other.cancel()
    cothread.Sleep(0)
    assert len(_cothread.tasks()) == before and timers


def test_an_exception_is_reported_and_a_retriggering_timer_goes_on():
    seen = []

    def called():
        seen.append(1)
        raise ValueError("in a timer")

    with stderr_caught() as caught:
        timer = cothread.Timer(0.001, called, retrigger=True)
        wait_until(lambda: len(seen) == 3)
        timer.cancel()
    assert caught.text.count("ValueError: in a timer") == 3
