# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interactive use: tasks, and GTK, go on while the prompt waits."""

import sys
from typing import Any

import _cothread

from .cothread import Quit, Sleep, Spawn

__all__ = ["igtk", "install_readline_hook", "iqt"]


def install_readline_hook(enable_hook: bool = True) -> None:
    """Lets tasks run, or no longer, while the interactive prompt (or input()) waits for a line.

    That is so from the beginning where standard input is a terminal and nobody else has a hook there.
    """
    _cothread.set_input_hook(enable_hook)


_install_readline_hook = install_readline_hook


def igtk() -> Any:
    """For GTK in an interactive session: initialises GTK 4, and lets its windows live while the prompt waits.

    Returns the module Gtk. GTK and tasks share one main loop, so nothing is polled, and a modal dialog stops nobody.
    A program without a prompt needs this only for its Gtk.init(): what it waits in, WaitForQuit() for instance, runs
    the main loop.
    """
    import gi
    gi.require_version("Gtk", "4.0")
    from gi.repository import Gtk
    if not Gtk.init_check():
        raise RuntimeError("GTK finds no display")
    install_readline_hook(True)
    return Gtk


_QT = ("PyQt6", "PyQt5", "PySide6", "PySide2")
_qt_application: Any = None


def iqt(poll_interval: float = 0.05, run_exec: bool = True, argv: list[str] | None = None) -> Any:
    """For Qt, as the original has it: makes the QApplication, and a task that lets Qt handle its events.

    Returns the application. When its last window is closed, it calls Quit(). This library is about GTK: igtk() is the
    one that needs no polling.
    """
    global _qt_application
    if _qt_application is not None:
        return _qt_application
    widgets = _find_qt()
    application = widgets.QApplication.instance() or widgets.QApplication(sys.argv if argv is None else argv)
    application.lastWindowClosed.connect(Quit)

    def poll_qt() -> None:
        while True:
            application.processEvents()
            Sleep(poll_interval)

    Spawn(poll_qt)
    install_readline_hook(True)
    _qt_application = application
    return application


def _find_qt() -> Any:
    import importlib
    for name in sorted(_QT, key=lambda name: name not in sys.modules):
        try:
            return importlib.import_module(name + ".QtWidgets")
        except ImportError:
            pass
    raise ImportError("iqt() is for programs with Qt, and none of " + ", ".join(_QT) + " is installed. This cothread "
                      "lives in GLib's main loop: for GTK call igtk(), and without windows you need neither")


def _install_at_import() -> None:
    try:
        is_terminal = sys.stdin is not None and sys.stdin.isatty()
    except ValueError:
        is_terminal = False
    if is_terminal and _cothread.get_input_hook() is None:
        install_readline_hook(True)


_install_at_import()
