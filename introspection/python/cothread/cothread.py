# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tasks, events and timers. `import cothread` has all of these names."""

import atexit
import collections
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeAlias

import _cothread
from _cothread import Cancelled, monotonic_us, poll_scheduler, spawn_task

__all__ = [
    "AbsTimeout", "Callback", "CallbackResult", "Cancelled", "Deadline", "Event", "EventQueue", "GetDeadline", "Pulse",
    "Quit", "RLock", "Sleep", "SleepUntil", "Spawn", "ThreadedEventQueue", "Timedout", "Timer", "WaitForAll",
    "WaitForQuit", "Yield", "poll_scheduler", "scheduler_thread_id",
]

Timeout: TypeAlias = float | tuple[float | None] | None

Timedout = _cothread.TimedOut

# The thread that all tasks run in.
scheduler_thread_id = threading.main_thread().ident

_os: Any = os  # the typeshed of old mypys has no eventfd

# Room for the interpreter itself, whatever a program asks for.
_MIN_STACK_BYTES = 256 * 1024


# ---- timeouts ----

def GetDeadline(timeout: Timeout) -> float | None:
    """The time, as of time.time(), at which a timeout of any form ends; None: never."""
    if timeout is None:
        return None
    if isinstance(timeout, tuple):
        return timeout[0]
    return time.time() + timeout


Deadline = GetDeadline


def AbsTimeout(timeout: Timeout) -> tuple[float | None] | None:
    """The same timeout as a deadline, for several waits that shall share it: None, or (deadline,)."""
    deadline = GetDeadline(timeout)
    return None if deadline is None else (deadline,)


def _end_us(timeout: Timeout) -> int | None:
    """When a timeout ends by the clock that nobody sets."""
    if isinstance(timeout, tuple):
        timeout = None if timeout[0] is None else timeout[0] - time.time()
    if timeout is None:
        return None
    if timeout != timeout:
        raise ValueError("A timeout cannot be NaN")
    return monotonic_us() + int(min(max(timeout, 0), 9e9) * 1e6)


def _left(end_us: int | None) -> float | None:
    return None if end_us is None else max(end_us - monotonic_us(), 0) / 1e6


def Sleep(delay: Timeout) -> None:
    """Lets others run for so many seconds, and once at least."""
    _cothread.sleep(delay)


def SleepUntil(deadline: float) -> None:
    """Lets others run until that time, as of time.time(), and once at least."""
    _cothread.sleep((deadline,))


def Yield(timeout: Timeout = 0) -> None:
    """Lets all other tasks that are ready run; with a timeout, again and again until none is or it has passed."""
    _cothread.yield_(timeout)


# ---- tasks ----

class Spawn:
    """Runs function(*args, **kargs) in a task of its own, which begins when the caller waits.

    Wait() gives its result. An exception that it does not catch is reported on stderr, and Wait() gives None; with
    raise_on_wait Wait() raises it. The object is true once the task has ended. Works as a decorator, too.
    """

    __slots__ = ("_task", "_raise_on_wait", "_traceback", "__weakref__")

    def __init__(self, function: Callable[..., Any], /, *args: Any, raise_on_wait: bool = False, stack_size: int = 0,
                 **kargs: Any) -> None:
        self._raise_on_wait = raise_on_wait
        self._traceback: TracebackType | None = None
        self._task = spawn_task(function, args, kargs, None, stack_size and max(stack_size, _MIN_STACK_BYTES),
                                not raise_on_wait)

    def Wait(self, timeout: Timeout = None) -> Any:
        """Waits until the task has ended, and returns its result. Any number of tasks may wait, as often as they like."""
        task = self._task
        had_ended = task.done
        try:
            return task.wait(timeout)
        except BaseException as error:
            if not task.done or error is not task.exception:
                raise
            if isinstance(error, KeyboardInterrupt) and not had_ended and _cothread.current_task() is None:
                raise  # Ctrl-C in a busy task is for the wait of the main code, which was this one
            if not self._raise_on_wait:
                return None
            if self._traceback is None and error.__traceback__ is not None:
                self._traceback = error.__traceback__.tb_next
            raise error.with_traceback(self._traceback)

    def AbortWait(self) -> None:
        """What WaitForAll() does to the waits that it gives up; the result of a task stays."""

    def __bool__(self) -> bool:
        return self._task.done

    def __repr__(self) -> str:
        return f"<Spawn {self._task!r}>"


# ---- events ----

class Event(_cothread.Event):
    """Something that happens, with a value. True while it is signalled.

    With auto_reset each Signal() lets one Wait() return; without, the event stays signalled until Reset().
    """

    Wait = _cothread.Event.wait
    Signal = _cothread.Event.signal
    Reset = _cothread.Event.reset
    AbortWait = _cothread.Event.abort_wait

    def SignalException(self, exception: BaseException | type[BaseException]) -> None:
        """Signals the event with an exception, which the wait raises."""
        self.signal_exception(exception)


class Pulse(_cothread.Pulse):
    """Wakes those who wait at the moment: all of them, or with Signal(False) the first. Has no state."""

    Wait = _cothread.Pulse.wait
    Signal = _cothread.Pulse.signal

    def AbortWait(self) -> None:
        """There is nothing that a later wait could find."""


class EventQueue(_cothread.EventQueue):
    """Values in the order in which they were signalled. Iterating takes them until close()."""

    Reset = _cothread.EventQueue.reset
    AbortWait = _cothread.EventQueue.abort_wait

    def Wait(self, timeout: Timeout = None) -> Any:
        """Takes the first value, waiting for one. StopIteration when the queue is closed and empty."""
        try:
            return self.wait(timeout)
        except _cothread.Closed:
            raise StopIteration from None

    def Signal(self, value: Any) -> bool:
        """Puts a value at the end; False if there is no room."""
        try:
            return self.signal(value)
        except _cothread.Closed:
            raise AssertionError("The queue is closed") from None

    def __next__(self) -> Any:
        return self.Wait()


class RLock(_cothread.RLock):
    """A lock that one task holds, as often as it likes. acquire(timeout), release(), or a with block."""


class ThreadedEventQueue:
    """An event queue for any thread: Signal() and Wait() from tasks and from threads.

    `wait_descriptor` is readable, for select() and poll(), while there is something in it.
    """

    def __init__(self) -> None:
        self._values: collections.deque[Any] = collections.deque()
        # Counts the values. Whoever reads it may take one.
        self.wait_descriptor = _os.eventfd(0, _os.EFD_CLOEXEC | _os.EFD_NONBLOCK | _os.EFD_SEMAPHORE)

    def Signal(self, value: Any) -> None:
        """Puts a value at the end."""
        self._values.append(value)
        _os.eventfd_write(self.wait_descriptor, 1)

    def Wait(self, timeout: Timeout = None) -> Any:
        """Takes the first value, waiting for one. Raises Timedout."""
        from .coselect import POLLIN, _poll_here
        end_us = _end_us(timeout)
        while True:
            try:
                _os.eventfd_read(self.wait_descriptor)
                return self._values.popleft()
            except BlockingIOError:
                if not _poll_here([(self.wait_descriptor, POLLIN)], _left(end_us)):
                    raise Timedout("Timed out waiting for a value") from None

    def __len__(self) -> int:
        return len(self._values)

    def close(self) -> None:
        """Closes the descriptor; nobody may wait any more."""
        descriptor, self.wait_descriptor = self.wait_descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        if hasattr(self, "wait_descriptor"):
            self.close()


def WaitForAll(event_list: Iterable[Any], timeout: Timeout = None, iterator: bool = False) -> Any:
    """Waits for everything in the list, with one deadline for all of it; returns the list of the results.

    If one fails or the time is up, the waits that are left are given up with AbortWait(): what is signalled there
    later is dropped. With iterator the results come one by one.
    """
    left = collections.deque(event_list)
    end_us = _end_us(timeout)
    if iterator:
        return _wait_for_each(left, end_us)
    results = []
    while left:
        results.append(_wait_for_first(left, end_us))
    return results


def _wait_for_each(left: collections.deque[Any], end_us: int | None) -> Iterator[Any]:
    while left:
        yield _wait_for_first(left, end_us)


def _wait_for_first(left: collections.deque[Any], end_us: int | None) -> Any:
    """Takes the first off the list. If the wait fails, all that have their signal to come are given up."""
    first = left.popleft()
    try:
        return first.Wait(_left(end_us))
    except BaseException as error:
        if isinstance(error, (Timedout, Cancelled, KeyboardInterrupt)):
            left.appendleft(first)
        for event in left:
            abort = getattr(event, "AbortWait", None)
            if abort is not None:
                abort()
        left.clear()
        raise


# ---- timers ----

class Timer:
    """Calls callback() in a task of its own when the timeout has passed.

    With retrigger it begins again when the call has returned. With reuse (or retrigger) it can be started again with
    reset(). A timeout of None: not before reset().
    """

    def __init__(self, timeout: Timeout, callback: Callable[[], object], retrigger: bool = False, reuse: bool = False,
                 stack_size: int = 0) -> None:
        if not callable(callback):
            raise TypeError("A timer needs something to call")
        self._callback = callback
        self._retrigger = retrigger
        self._can_reset = reuse or retrigger
        self._stack_size = stack_size
        self._changed = _cothread.Event()
        self._task: Spawn | None = None
        self._start(timeout)

    def cancel(self) -> None:
        """The callback will not be called, even where it is already due. A call in progress goes on."""
        self._start(None)

    def reset(self, timeout: Timeout, retrigger: bool | None = None) -> None:
        """Starts the timer anew; None suspends it."""
        assert self._can_reset, "This timer runs once; make it with reuse=True"
        if retrigger is not None:
            self._retrigger = retrigger
        self._start(timeout)

    def _start(self, timeout: Timeout) -> None:
        self._end_us = _end_us(timeout)
        self._interval = _left(self._end_us)
        self._was_changed = True
        if self._task is not None and not self._task:
            self._changed.signal()
        elif self._end_us is not None:
            self._changed.reset()
            self._task = Spawn(self._run, stack_size=self._stack_size)

    def _run(self) -> None:
        while self._end_us is not None:
            try:
                self._changed.wait(_left(self._end_us))
            except Timedout:
                if self._end_us is not None and monotonic_us() >= self._end_us:
                    self._call()

    def _call(self) -> None:
        self._end_us = None
        self._was_changed = False
        try:
            self._callback()
        except SystemExit:
            pass
        except Exception as error:
            _report(_cothread.current_task(), error)
        if self._retrigger and not self._was_changed:
            self._end_us = _end_us(self._interval)


# ---- other threads ----

Callback = _cothread.callback


class _Outcome:
    """What a thread waits for while its call is made elsewhere."""

    __slots__ = ("result", "error", "is_there")

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_there = threading.Event()


class _Call:
    """A call on its way. If it gets lost, whoever waits is told."""

    __slots__ = ("outcome", "function", "args", "kargs")

    def __init__(self, outcome: _Outcome, function: Callable[..., Any], args: tuple[Any, ...], kargs: dict[str, Any]) -> None:
        self.outcome = outcome
        self.function = function
        self.args = args
        self.kargs = kargs

    def __call__(self) -> None:
        try:
            self.outcome.result = self.function(*self.args, **self.kargs)
        except BaseException as error:
            self.outcome.error = error
        self.outcome.is_there.set()

    def __del__(self) -> None:
        if not self.outcome.is_there.is_set():
            self.outcome.error = _cothread.Closed("The scheduler has ended")
            self.outcome.is_there.set()


def CallbackResult(action: Callable[..., Any], /, *args: Any, callback_queue: Callable[..., object] = Callback,
                   callback_timeout: Timeout = None, callback_spawn: bool = True, **kargs: Any) -> Any:
    """Calls action(*args, **kargs) in the scheduler's thread, from any thread, and returns its result.

    In the scheduler's own thread that is a plain call. Elsewhere the calling thread waits; what the action raises is
    raised here, and Timedout if it takes longer than callback_timeout. With callback_spawn it runs in a task of its
    own, else in that of the callback queue.
    """
    if threading.get_ident() == scheduler_thread_id:
        return action(*args, **kargs)
    outcome = _Outcome()
    if callback_spawn:
        callback_queue(Spawn, _Call(outcome, action, args, kargs))
    else:
        callback_queue(_Call(outcome, action, args, kargs))
    if not outcome.is_there.wait(_left(_end_us(callback_timeout))):
        raise Timedout("Timed out waiting for a callback")
    if outcome.error is not None:
        raise outcome.error
    return outcome.result


# ---- the end ----

_quit: Event | None = None


def _quit_event() -> Event:
    global _quit
    if _quit is None:
        _quit = Event(auto_reset=False)
    return _quit


def Quit() -> None:
    """Lets every WaitForQuit() return, now and later."""
    _quit_event().Signal()


def WaitForQuit(catch_interrupt: bool = True) -> None:
    """Waits for Quit(). With catch_interrupt Ctrl-C is as good as that; without, it raises KeyboardInterrupt."""
    quit_event = _quit_event()
    if not catch_interrupt or threading.current_thread() is not threading.main_thread():
        quit_event.Wait()
        return
    old = signal.signal(signal.SIGINT, lambda *_: quit_event.signal())
    try:
        quit_event.Wait()
    finally:
        signal.signal(signal.SIGINT, old)


def _report(failed: Any, error: BaseException) -> None:
    """A task has ended with an exception."""
    if sys.stderr is not None:
        print(f"Task {failed.name if failed is not None else 'callback'} raised an uncaught exception:", file=sys.stderr)
    sys.excepthook(type(error), error, error.__traceback__)


def _shut_down() -> None:
    try:
        _cothread.shut_down()
    except _cothread.WrongContext:
        pass  # exit inside a dispatch: there is no stack to unwind the tasks from


def _after_fork() -> None:
    global _quit, scheduler_thread_id
    if _OVERRIDE not in sys.modules:
        _cothread.after_fork()
    _quit = None
    scheduler_thread_id = threading.main_thread().ident
    package = sys.modules.get(__package__ or "")
    if package is not None:
        setattr(package, "scheduler_thread_id", scheduler_thread_id)


# gi.repository.Cothread does all this, too, and whoever comes last is as good.
_OVERRIDE = "gi.overrides.Cothread"
if _OVERRIDE not in sys.modules:
    _cothread.set_report_hook(_report)
atexit.register(_shut_down)
os.register_at_fork(after_in_child=_after_fork)
if threading.current_thread() is threading.main_thread():
    _cothread.ensure()  # callbacks from other threads need somewhere to go
