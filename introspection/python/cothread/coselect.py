# SPDX-License-Identifier: LGPL-2.1-or-later
"""select() and poll() that suspend the calling task only.

In other threads they are the system's own. select_hook() puts them where the standard library looks for its own.
"""

import errno
import os
import select as _select
import threading
from collections.abc import Callable, Iterable, Sequence
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI
from typing import Any, Protocol, TypeAlias

import _cothread

from . import cothread as _core
from .cothread import Timedout, Timeout

__all__ = [
    "POLLERR", "POLLEXTRA", "POLLHUP", "POLLIN", "POLLNVAL", "POLLOUT", "POLLPRI", "SelectError", "epoll", "poll",
    "poll_list", "select", "select_hook",
]

# What is told whether asked for or not.
POLLEXTRA = POLLERR | POLLHUP | POLLNVAL

_real_select = _select.select
_real_poll = _select.poll
_real_epoll = _select.epoll


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


File: TypeAlias = int | _HasFileno


class SelectError(OSError):
    """A descriptor has an error, was hung up, or is not open. `flags` has what poll() says of each such one."""

    def __init__(self, flags: Sequence[tuple[int, int]]) -> None:
        is_closed = any(events & POLLNVAL for _, events in flags)
        super().__init__(errno.EBADF if is_closed else errno.EIO,
                         "; ".join(f"descriptor {fd}: {_describe(events)}" for fd, events in flags))
        self.flags = list(flags)


def _describe(events: int) -> str:
    names = [(POLLNVAL, "not open"), (POLLERR, "error"), (POLLHUP, "hung up")]
    return ", ".join(name for flag, name in names if events & flag)


def _look(events: Iterable[tuple[int, int]], timeout: float | None) -> list[tuple[int, int]]:
    """The system's poll()."""
    system = _real_poll()
    for fd, flags in events:
        system.register(fd, flags)
    # Rounded up, for who wakes early would wait again and again.
    return system.poll(None if timeout is None else int(min(timeout, 2e6) * 1000 + 0.999))


def _is_here() -> bool:
    return threading.get_ident() == _core.scheduler_thread_id


def _poll_here(events: Sequence[tuple[int, int]], timeout: float | None) -> list[tuple[int, int]]:
    """Waits in whatever thread it is called in."""
    end_us = _core._end_us(timeout)
    if not _is_here():
        while True:
            found = _look(events, _core._left(end_us))
            if found or (end_us is not None and _cothread.monotonic_us() >= end_us):
                return found
    found = _look(events, 0)
    try:
        if not found:
            return _cothread.poll_list(events, _core._left(end_us))
        # A loop that always finds something must not stop the others.
        _cothread.checkpoint()
    except Timedout:
        pass
    except _cothread.WrongContext:
        # A handler of the main loop may look, but not wait.
        if not found and timeout != 0:
            raise
    return found


def poll_list(event_list: Iterable[tuple[File, int]], timeout: Timeout = None) -> list[tuple[int, int]]:
    """Waits until something happens of a list of (descriptor, events); returns (descriptor, what happened) of those.

    The list is empty if the time is up. Of two tasks that wait for the same event on one descriptor one is woken;
    POLLERR, POLLHUP and POLLNVAL go to everybody.
    """
    combined: dict[int, int] = {}
    for file, events in event_list:
        fd = file if isinstance(file, int) else file.fileno()
        combined[fd] = combined.get(fd, 0) | events
    return _poll_here(list(combined.items()), _core._left(_core._end_us(timeout)))


_Lists: TypeAlias = tuple[list[Any], list[Any], list[Any]]
_WANTED = (POLLIN, POLLOUT, POLLPRI)


def _poll_files(files: Sequence[Sequence[File]], timeout: Timeout) -> dict[int, int]:
    events = [(file, flag) for group, flag in zip(files, _WANTED) for file in group]
    return dict(poll_list(events, timeout))


def _fd(file: File) -> int:
    return file if isinstance(file, int) else file.fileno()


def _sort(files: Sequence[Sequence[File]], found: dict[int, int], flags: Sequence[int]) -> _Lists:
    lists = [[file for file in group if found.get(_fd(file), 0) & flag] for group, flag in zip(files, flags)]
    return lists[0], lists[1], lists[2]


def select(rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: Timeout = None) -> _Lists:
    """select.select() for tasks. Raises SelectError for a descriptor of which only POLLERR, POLLHUP or POLLNVAL is told."""
    files = [list(rlist), list(wlist), list(xlist)]
    found = _poll_files(files, timeout)
    bad = [(fd, flags) for fd, flags in found.items() if not flags & ~POLLEXTRA]
    if bad:
        raise SelectError(bad)
    return _sort(files, found, _WANTED)


def _select_as_the_system(rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any],
                          timeout: float | None = None, /) -> _Lists:
    """What select_hook() puts in the place of select.select(): the end of a file can be read there."""
    if not _is_here():
        return _real_select(rlist, wlist, xlist, timeout)
    files = [list(rlist), list(wlist), list(xlist)]
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    found = _poll_files(files, timeout)
    if any(flags & POLLNVAL for flags in found.values()):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return _sort(files, found, (POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI))


class poll:
    """The object of select.poll() for tasks."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: File, eventmask: int = POLLIN | POLLPRI | POLLOUT, /) -> None:
        """From now on waits for these events on this descriptor."""
        self._events[_fd(fd)] = eventmask

    def modify(self, fd: File, eventmask: int, /) -> None:
        """Changes the events of a descriptor."""
        if _fd(fd) not in self._events:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._events[_fd(fd)] = eventmask

    def unregister(self, fd: File, /) -> None:
        """Forgets a descriptor; KeyError if it does not know it."""
        del self._events[_fd(fd)]

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Waits so many milliseconds, or for ever (None, or a negative number), as poll_list() does."""
        return poll_list(self._events.items(), None if timeout is None or timeout < 0 else timeout / 1000)


class epoll:
    """The object of select.epoll() for tasks."""

    def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
        self._system = _real_epoll(sizehint, flags)

    @classmethod
    def fromfd(cls, fd: int, /) -> "epoll":
        """One around a descriptor that is there already."""
        self = cls.__new__(cls)
        self._system = _real_epoll.fromfd(fd)
        return self

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """Waits so many seconds, or for ever (None, or a negative number)."""
        if timeout is not None and timeout < 0:
            timeout = None
        if not _is_here():
            return self._system.poll(timeout, maxevents)
        _poll_here([(self.fileno(), POLLIN)], timeout)
        return self._system.poll(0, maxevents)

    def __enter__(self) -> "epoll":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def fileno(self) -> int:
        """The descriptor."""
        return self._system.fileno()

    def close(self) -> None:
        """Closes the descriptor."""
        self._system.close()


def select_hook() -> None:
    """Puts these in the place of select.select(), select.poll() and select.epoll(), and into `selectors`.

    From now on what uses them waits cooperatively: socketserver, subprocess.communicate(), multiprocessing.connection.
    """
    import selectors

    targets: list[tuple[Any, str, Callable[..., Any]]] = [
        (_select, "select", _select_as_the_system),
        (_select, "poll", poll),
        (_select, "epoll", epoll),
        (selectors.SelectSelector, "_select", staticmethod(_select_as_the_system)),
        (selectors.PollSelector, "_selector_cls", poll),
        (selectors.EpollSelector, "_selector_cls", epoll),
    ]
    for owner, name, replacement in targets:
        setattr(owner, name, replacement)
