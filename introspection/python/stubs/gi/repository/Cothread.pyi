# SPDX-License-Identifier: LGPL-2.1-or-later
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ParamSpec, TextIO, TypeVar

from _cothread import (
    Cancelled as Cancelled,
    Closed as Closed,
    Event as Event,
    EventQueue as EventQueue,
    Full as Full,
    Interrupted as Interrupted,
    Pulse as Pulse,
    RLock as RLock,
    Semaphore as Semaphore,
    Task as Task,
    TimedOut as TimedOut,
    _Timeout as _Timeout,
    WrongContext as WrongContext,
    WrongThread as WrongThread,
    callback as callback,
    checkpoint as checkpoint,
    current_task as current_task,
    sleep as sleep,
    spawn as spawn,
    spawn_task as spawn_task,
    tasks as tasks,
    wait_any as wait_any,
    wait_fd as wait_fd,
    yield_ as yield_,
)

_T = TypeVar("_T")
_P = ParamSpec("_P")

def task(function: Callable[_P, _T]) -> Callable[_P, Task[_T]]: ...

class timeout:
    expired: bool
    def __init__(self, seconds: float | None) -> None: ...
    def __enter__(self) -> timeout: ...
    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> bool | None: ...

class shield:
    def __enter__(self) -> shield: ...
    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

class Scope:
    def spawn(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Task[_T]: ...
    def cancel(self) -> None: ...
    @property
    def tasks(self) -> set[Task[Any]]: ...
    def __enter__(self) -> Scope: ...
    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None: ...

class Timer:
    def __init__(self, seconds: float | None, function: Callable[..., object], *args: Any, retrigger: bool = False, reuse: bool = False) -> None: ...
    @property
    def pending(self) -> bool: ...
    def cancel(self) -> None: ...
    def reset(self, seconds: float | None, retrigger: bool | None = None) -> None: ...

def run_in_thread(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T: ...
def call_async(function: Any, /, *args: Any, finish: Callable[[Any], Any] | None = None) -> Any: ...
def await_(awaitable: Awaitable[_T], timeout: _Timeout = None) -> _T: ...
def dump_tasks(file: TextIO | None = None) -> None: ...

# The rest is the library's own, through introspection.
def __getattr__(name: str) -> Any: ...
