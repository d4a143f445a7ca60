# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cooperative threads, under the names of the original Python cothread, inside GLib's main loop.

    import cothread

    def ticker(name, interval):
        while True:
            cothread.Sleep(interval)
            print(name)

    cothread.Spawn(ticker, "tick", 1)
    cothread.WaitForQuit()

A task ("cothread") runs until it waits; between two waits it has the thread to itself. The scheduler is a source of
GLib's main loop: in a program that has no loop, whatever the main code waits in runs it.

A timeout is None (never), a number of seconds from now, or a tuple (deadline,) in the sense of time.time().

`coselect`, `cosocket` and `coserver` hold the cooperative select(), sockets and servers; gi.repository.Cothread is
the same library with names in Python's style.
"""

import importlib as _importlib
from typing import Any as _Any

from .cothread import (
    AbsTimeout, Callback, CallbackResult, Cancelled, Deadline, Event, EventQueue, GetDeadline, Pulse, Quit, RLock,
    Sleep, SleepUntil, Spawn, ThreadedEventQueue, Timedout, Timer, WaitForAll, WaitForQuit, Yield, poll_scheduler,
    scheduler_thread_id)
from .coselect import (
    POLLERR, POLLEXTRA, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, SelectError, poll, poll_list, select,
    select_hook)
from .input_hook import igtk, install_readline_hook, iqt

__version__ = "3.0"

__all__ = [
    "AbsTimeout", "Callback", "CallbackResult", "Cancelled", "Deadline", "Event", "EventQueue", "GetDeadline",
    "POLLERR", "POLLEXTRA", "POLLHUP", "POLLIN", "POLLNVAL", "POLLOUT", "POLLPRI", "Pulse", "Quit", "RLock",
    "SelectError", "Sleep", "SleepUntil", "Spawn", "ThreadedEventQueue", "Timedout", "Timer", "WaitForAll",
    "WaitForQuit", "Yield", "igtk", "install_readline_hook", "iqt", "poll", "poll_list", "poll_scheduler",
    "scheduler_thread_id", "select", "select_hook", "socket_hook",
]

# What needs the network's modules is loaded when it is asked for.
_LAZY = {"socket_hook": "cosocket", "socket": "cosocket", "socketpair": "cosocket", "create_connection": "cosocket"}


def __getattr__(name: str) -> _Any:
    if name in ("cosocket", "coserver"):
        return _importlib.import_module("." + name, __name__)
    if name in _LAZY:
        return getattr(_importlib.import_module("." + _LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
