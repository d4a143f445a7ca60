# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a program in a task of a program whose GLib main loop runs already: in_loop.py PROGRAM."""
import runpy
import sys

from gi.repository import GLib

import cothread

loop = GLib.MainLoop()


def run():
    try:
        runpy.run_path(sys.argv[1], run_name="__main__")
    finally:
        loop.quit()


def begin():
    cothread.Spawn(run)
    return False


GLib.idle_add(begin)
loop.run()
