# SPDX-License-Identifier: LGPL-2.1-or-later
"""In a window, on a display of its own: Ctrl-C in Gtk.Application.run(), a modal dialog while others emit."""
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gi

with_display = Path(__file__).parents[1] / "ui" / "with-display"
try:
    gi.require_version("Gtk", "4.0")
except ValueError:
    pytest.skip("no GTK 4 here", allow_module_level=True)
if shutil.which("Xvfb") is None:
    pytest.skip("no Xvfb here", allow_module_level=True)

BEGIN = """
import gi, os, sys
gi.require_version("Cothread", "1.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Cothread, Gio, GLib, GObject, Gtk
application = Gtk.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
"""


def start(text):
    return subprocess.Popen([with_display, sys.executable, "-X", "faulthandler", "-c", BEGIN + text], text=True,
                            env={**os.environ, "G_DEBUG": "fatal-criticals", "GTK_A11Y": "none"},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("busy", ["Cothread.sleep(0.001)", "sum(range(100000)); Cothread.yield_()"])
def test_ctrl_c_in_a_gtk_application(busy):
    program = start("""
def work():
    print("ready", os.getpid(), flush=True)
    while True:
        %s
def activate(application):
    Gtk.ApplicationWindow(application=application, child=Gtk.Spinner(spinning=True)).present()
    Cothread.spawn(work)
application.connect("activate", activate)
try:
    application.run()
except KeyboardInterrupt:
    print("interrupted", flush=True)
""" % busy)
    word, pid = program.stdout.readline().split()
    assert word == "ready"
    os.kill(int(pid), signal.SIGINT)
    try:
        out, err = program.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.kill(int(pid), signal.SIGKILL)
        raise
    assert program.returncode == 0 and "interrupted" in out, (out, err)


def test_a_modal_dialog_in_a_task_while_others_emit_and_wait_in_handlers():
    program = start("""
class Emitter(GObject.Object):
    __gsignals__ = {"ask": (GObject.SignalFlags.RUN_LAST, int, (int,))}
emitter = Emitter()
answers = []
def answer(_, number):
    try:
        raise ValueError(number)
    except ValueError as error:
        Cothread.sleep(0.001)
        assert sys.exc_info()[1] is error
    return number
emitter.connect("ask", answer)
def others():
    while not closed:
        answers.append(emitter.emit("ask", len(answers)))
closed = []
def dialog(window):
    loop = GLib.MainLoop()
    dialog = Gtk.MessageDialog(transient_for=window, modal=True, text="Really?")
    button = dialog.add_button("Yes", Gtk.ResponseType.YES)
    def clicked(_):
        try:
            Cothread.sleep(0)
        except Cothread.WrongContext:
            refused.append(1)
        # What may wait, does so in a task of its own.
        Cothread.spawn(lambda: [Cothread.sleep(0.001), answers.append(emitter.emit("ask", 1)), loop.quit()])
    button.connect("clicked", clicked)
    dialog.present()
    enough = len(answers) + 20
    GLib.timeout_add(5, lambda: len(answers) < enough or button.emit("clicked") or False)
    loop.run()
    dialog.destroy()
    closed.append(1)
refused = []
def activate(application):
    window = Gtk.ApplicationWindow(application=application)
    window.present()
    tasks = [Cothread.spawn(others) for _ in range(3)]
    def all_of_it():
        Cothread.spawn(dialog, window).wait()
        for task in tasks:
            task.wait()
        print("refused", len(refused), len(answers) > 20, flush=True)
        application.quit()
    Cothread.spawn(all_of_it)
application.connect("activate", activate)
application.run()
""")
    out, err = program.communicate(timeout=100)
    assert (program.returncode, out) == (0, "refused 1 True\n"), err
