# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cooperative threads inside a GLib main loop, as Python programs want them.

    from gi.repository import Cothread

    @Cothread.task
    def fetch(button, label):
        button.set_sensitive(False)
        data = Cothread.call_async(stream.read_bytes_async, 4096, GLib.PRIORITY_DEFAULT)
        Cothread.sleep(0.5)
        label.set_text(f"{data.get_size()} bytes")

A task runs until it waits, wherever that is; between two waits it has the
thread to itself. All times are in seconds.
"""

import atexit
import functools
import os
import sys
import threading
import traceback

from ..module import get_introspection_module
from ..overrides import override

try:
    import _cothread
except ModuleNotFoundError as _error:
    raise ImportError(
        "gi.repository.Cothread needs the extension module _cothread, which was not built for this Python "
        f"({sys.version.split()[0]}) or is not on its path") from _error

from _cothread import (  # noqa: F401
    Cancelled, Closed, Event, EventQueue, Full, Interrupted, Pulse, RLock, Semaphore, Task, TimedOut,
    WrongContext, WrongThread, callback, checkpoint, current_task, sleep, spawn, spawn_task, tasks, wait_any,
    wait_fd, yield_)

_introspection = get_introspection_module("Cothread")
# What C and JavaScript have made is of these classes, which PyGObject would look up by
# names that are those of the extension's own here.
for _name in ("Event", "EventQueue", "Lock", "Pulse", "Semaphore", "Timer"):
    getattr(_introspection, _name)

__all__ = [
    "Cancelled", "Closed", "Event", "EventQueue", "Full", "Interrupted", "Pulse", "RLock", "Scheduler", "Scope",
    "Semaphore", "Task", "TimedOut", "Timer", "WrongContext", "WrongThread", "await_", "call_async", "callback", "cancel",
    "checkpoint", "current_task", "dump_tasks", "join", "run_in_thread", "shield", "sleep", "spawn", "spawn_task", "task", "tasks",
    "timeout", "wait_any", "wait_fd", "yield_",
]


@override
class Scheduler(_introspection.Scheduler):
    def list_tasks(self):
        """The Python tasks that have not ended; list_task_infos() tells of everybody's.

        PyGObject would make objects of the name Task of the library's, and that name is Python's own class here.
        """
        return tasks() if self == _introspection.Scheduler.get_default() else []


def join(id, timeout=None):
    """Waits for a task of whatever language, by its number in Scheduler.list_task_infos().

    Raises what the task failed with as a GLib.Error.
    """
    failure = _cothread.join_task(id, timeout)
    if failure is not None:
        from gi.repository import GLib

        domain, code, message = failure
        raise GLib.Error(message, domain, code)


def cancel(id):
    """Cancels a task of whatever language, by its number in Scheduler.list_task_infos()."""
    _cothread.cancel_task(id)


def task(function):
    """Makes a function that runs in a task of its own: calling it returns the Task."""
    @functools.wraps(function)
    def spawning(*args, **kwargs):
        return spawn(function, *args, **kwargs)
    return spawning


class timeout:
    """with timeout(seconds): each wait in the block, however deep, raises TimedOut once the time has passed.

    Of several around each other the nearest deadline counts. `expired` tells afterwards whether it was this one.
    """

    def __init__(self, seconds):
        if seconds is not None:
            seconds = float(seconds)
            if seconds != seconds:
                raise ValueError("A timeout cannot be NaN")
        self._seconds = seconds
        self._deadline = None
        self._outer = None
        self.expired = False

    def __enter__(self):
        self._outer = _cothread.swap_deadline(None)
        self._deadline = None
        if self._seconds is not None:
            self._deadline = _cothread.monotonic_us() + max(0, min(int(self._seconds * 1e6), 1 << 60))
        nearest = [deadline for deadline in (self._deadline, self._outer) if deadline is not None]
        _cothread.swap_deadline(min(nearest, default=None))
        return self

    def __exit__(self, kind, value, trace):
        _cothread.swap_deadline(self._outer)
        if kind is not None and issubclass(kind, TimedOut) and self._deadline is not None:
            self.expired = _cothread.monotonic_us() >= self._deadline
        return False


class shield:
    """with shield(): a section that cancellation does not reach; it is raised by the first wait after it."""

    def __enter__(self):
        _cothread.shield_begin()
        return self

    def __exit__(self, kind, value, trace):
        _cothread.shield_end()
        return False


class Scope:
    """with Scope() as scope: owns the tasks that are spawned in it with scope.spawn().

    Leaving the block waits for all of them. The first that fails cancels the others, and its exception is raised
    when the block is left; an exception in the block itself, a cancellation and a timeout cancel all of them.
    """

    def __init__(self):
        self._tasks = set()
        self._failure = None
        self._empty = Event(False)
        self._is_left = False

    def spawn(self, function, /, *args, **kwargs):
        """Runs function(*args, **kwargs) in a task of this scope."""
        if self._is_left:
            raise RuntimeError("The scope has been left")
        code = getattr(function, "__code__", None)
        where = f" ({os.path.basename(code.co_filename)}:{code.co_firstlineno})" if code is not None else ""
        name = getattr(function, "__qualname__", type(function).__name__) + where
        box = []
        new = spawn_task(self._run, (box, function, args, kwargs), name=name)
        box.append(new)
        self._tasks.add(new)
        self._empty.reset()
        # One that is cancelled before it begins never gets to _run().
        return new

    def cancel(self):
        """Cancels every task of the scope."""
        for one in list(self._tasks):
            one.cancel()
        self._forget_unborn()

    @property
    def tasks(self):
        """The tasks that have not returned yet."""
        return {one for one in self._tasks if not one.done}

    def _run(self, box, function, args, kwargs):
        try:
            return function(*args, **kwargs)
        except Cancelled:
            raise
        except BaseException as error:
            if self._failure is None:
                self._failure = error
                self._cancel_but(box[0])
            # Seen here: the scope raises it.
            return None
        finally:
            self._ended(box[0])

    def _cancel_but(self, one):
        for other in list(self._tasks):
            if other is not one:
                other.cancel()

    def _ended(self, one):
        self._tasks.discard(one)
        if not self._tasks:
            self._empty.signal()

    def _forget_unborn(self):
        """What was cancelled before it began ends without _run()."""
        for one in list(self._tasks):
            if one.done:
                self._ended(one)

    def _wait(self):
        while self._tasks:
            one = next(iter(self._tasks))
            try:
                one.wait()
            except Cancelled:
                if not one.done:
                    raise
            self._ended(one)

    def _unwind(self):
        outer = _cothread.swap_deadline(None)
        try:
            with shield():
                self._wait()
        finally:
            _cothread.swap_deadline(outer)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.cancel()
            self._unwind()
            self._is_left = True
            return False
        try:
            self._wait()
        except BaseException:
            self.cancel()
            self._unwind()
            raise
        finally:
            self._is_left = True
        if self._failure is not None:
            try:
                raise self._failure
            finally:
                self._failure = None
        return False


class Timer:
    """Calls function(*args) in a task of its own when `seconds` have passed.

    With retrigger it starts again when the call has returned; with reuse (or retrigger) it can be started again
    with reset(). `seconds` None: not before reset().
    """

    def __init__(self, seconds, function, *args, retrigger=False, reuse=False):
        if not callable(function):
            raise TypeError("A timer needs something to call")
        self._function = function
        self._args = args
        self._retrigger = retrigger
        self._reuse = reuse or retrigger
        self._changed = Event()
        self._over = False
        self._start(seconds)
        self._task = spawn(self._run)

    def _start(self, seconds):
        self._seconds = None if seconds is None else float(seconds)
        self._deadline = None if seconds is None else _cothread.monotonic_us() + int(max(self._seconds, 0) * 1e6)

    @property
    def pending(self):
        """Whether the function will be called."""
        return not self._over and self._deadline is not None

    def cancel(self):
        """Ends the timer, also one that is already due; a call in progress goes on."""
        self._over = True
        self._changed.signal()

    def reset(self, seconds, retrigger=None):
        """Starts the timer anew; None suspends it. Only with reuse or retrigger."""
        if not self._reuse:
            raise RuntimeError("This timer runs once; make it with reuse=True")
        if self._over:
            raise RuntimeError("This timer was cancelled")
        if retrigger is not None:
            self._retrigger = retrigger
        self._start(seconds)
        self._changed.signal()

    def _run(self):
        while not self._over:
            try:
                if self._deadline is None:
                    self._changed.wait()
                else:
                    self._changed.wait(max(0, self._deadline - _cothread.monotonic_us()) / 1e6)
                continue
            except TimedOut:
                if self._over or self._deadline is None or _cothread.monotonic_us() < self._deadline:
                    continue
            self._deadline = None
            self._over = not self._reuse
            try:
                self._function(*self._args)
            except Exception as error:
                _report(current_task(), error)
            if self._retrigger and not self._over and self._deadline is None:
                self._start(self._seconds)


_pool = None


def run_in_thread(function, /, *args, **kwargs):
    """Runs function(*args, **kwargs) in a thread of a pool and waits for its result; other tasks go on meanwhile.

    If the wait is cancelled or times out, the thread goes on and its result is dropped.
    """
    global _pool
    if _pool is None:
        from concurrent.futures import ThreadPoolExecutor
        _pool = ThreadPoolExecutor(thread_name_prefix="cothread")
    finished = Event(False)
    future = _pool.submit(function, *args, **kwargs)
    future.add_done_callback(lambda _: _tell(finished))
    try:
        finished.wait()
    except BaseException:
        future.cancel()
        raise
    return future.result()


def _tell(event):
    try:
        callback(event.signal)
    except Closed:
        pass  # the program ends, and with it whoever waited


def call_async(function, /, *args, finish=None):
    """Calls one of GIO's asynchronous functions, waits, and returns what its finish function gives.

        data = Cothread.call_async(stream.read_bytes_async, 4096, GLib.PRIORITY_DEFAULT)

    Give the arguments before the cancellable; one is made, and is cancelled if the wait is. (Or give all arguments
    up to the callback, a Gio.Cancellable among them.) Errors are raised as GLib.Error. `finish` names the finish
    function where it is not the function's name with _finish for _async: of constructors and the like.
    """
    from gi.repository import Gio
    names = [argument.get_name() for argument in function.get_arguments()]
    given = next((one for one in args if isinstance(one, Gio.Cancellable)), None)
    cancellable = given
    if cancellable is None and "cancellable" in names:
        cancellable = Gio.Cancellable()
        args += (cancellable,)
    ready = Event(False)

    def on_ready(source, result, *data):
        ready.signal((source, result))

    function(*args, on_ready)
    try:
        source, result = ready.wait()
    except BaseException:
        # The operation ends all the same and calls back; nobody looks.
        if cancellable is not None and given is None:
            cancellable.cancel()
        raise
    if finish is None:
        finish = _find_finish(function, source)
    return finish(result)


def _find_finish(function, source):
    name = function.get_name()
    name = (name[:-6] if name.endswith("_async") else name) + "_finish"
    if source is not None and hasattr(source, name):
        return getattr(source, name)
    import importlib
    namespace = importlib.import_module("gi.repository." + function.get_namespace())
    found = getattr(namespace, name, None)
    if found is None:
        raise TypeError(f"call_async() does not know the finish function of {function.get_name()}: give it as finish=")
    return found


def await_(awaitable, timeout=None):
    """Waits, in a task, for a coroutine or another awaitable of asyncio, and returns its result.

    asyncio's loop has to run in the same thread on GLib's main loop (gi.events, or gbulb).
    """
    import asyncio
    future = asyncio.ensure_future(awaitable, loop=_running_loop())
    finished = Event(False)
    future.add_done_callback(lambda _: finished.signal())
    try:
        finished.wait(timeout)
    except BaseException:
        future.cancel()
        raise
    return future.result()


def _running_loop():
    """asyncio's loop; RuntimeError where there is none, or one that does not let ours run."""
    import asyncio
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # From Python 3.14 on the loop that runs is kept for a thread state, and so for a task.
        if sys.version_info < (3, 14):
            raise
        loop = asyncio.get_event_loop_policy().get_event_loop()
        if not loop.is_running():
            raise
    if type(loop).__module__.partition(".")[0] in ("asyncio", "uvloop"):
        raise RuntimeError("asyncio's loop does not run on GLib's main loop here, so that this would wait for ever: "
                           "use gi.events.GLibEventLoopPolicy (PyGObject 3.50), or gbulb")
    return loop


def _await(waitable):
    """__await__ of every waitable: a task waits, and tells a future."""
    future = _running_loop().create_future()

    def wait():
        try:
            value = waitable.acquire() if isinstance(waitable, Semaphore) else waitable.wait()
        except Cancelled as error:
            if not future.done():
                if isinstance(waitable, Task) and waitable.done:
                    future.set_exception(error)
                else:
                    future.cancel()
        except BaseException as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(value)

    waiter = spawn(wait)
    future.add_done_callback(lambda done: done.cancelled() and waiter.cancel())
    return future.__await__()


def dump_tasks(file=None):
    """Prints each Python task of this thread with the stack on which it waits."""
    file = file or sys.stderr
    for one in tasks():
        print(repr(one), file=file)
        frame = one.get_frame()
        if frame is not None:
            traceback.print_stack(frame, file=file)


def _report(failed, error):
    if sys.stderr is not None:
        print(f"Task {failed.name if failed is not None else 'callback'} failed and nobody waited for it:",
              file=sys.stderr)
    sys.excepthook(type(error), error, error.__traceback__)


def _shut_down():
    try:
        _cothread.shut_down()
    except WrongContext:
        pass  # exit inside a dispatch: there is no stack to unwind the tasks from


def _after_fork():
    global _pool
    _pool = None
    _cothread.after_fork()


_cothread.set_report_hook(_report)
_cothread.set_await_hook(_await)
atexit.register(_shut_down)
os.register_at_fork(after_in_child=_after_fork)
if threading.current_thread() is threading.main_thread():
    _cothread.ensure()  # callbacks from other threads need somewhere to go
