# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of the program: parked tasks, Ctrl-C, fork. Each in a process of its own."""
import signal

import pytest


def test_parked_tasks_are_unwound_at_exit(run_program):
    status, out, err = run_program("""
def parked(name):
    try:
        Cothread.sleep(None)
    finally:
        print(name, "unwound", flush=True)
for name in "abc":
    Cothread.spawn(parked, name)
Cothread.sleep(0)
Cothread.spawn(print, "never begins")
""")
    assert (status, out) == (0, "a unwound\nb unwound\nc unwound\n"), err


def test_a_task_that_goes_on_is_named(run_program):
    status, out, err = run_program("""
def stubborn():
    while True:
        try:
            Cothread.sleep(10)
        except Cothread.Cancelled:
            pass
Cothread.spawn(stubborn)
Cothread.sleep(0)
""", env={"G_DEBUG": ""})
    assert status == 0
    assert "stubborn" in err and "abandoned" in err


def test_exit_without_any_use(run_program):
    status, out, err = run_program("print('fine')")
    assert (status, out) == (0, "fine\n"), err


def test_exit_in_the_middle_of_everything(run_program):
    status, out, err = run_program("""
import sys, threading, time
event = Cothread.Event()
queue = Cothread.EventQueue()
event.signal(object())
queue.signal(object())
timer = Cothread.Timer(60, print)
tasks = [Cothread.spawn(list, queue), Cothread.spawn(Cothread.run_in_thread, time.sleep, 0.1)]
Cothread.callback(print, "not run")
def fail():
    Cothread.sleep(0)
    raise KeyError("seen")
Cothread.spawn(fail)
Cothread.sleep(0); Cothread.sleep(0); Cothread.sleep(0)
sys.exit(7)
""")
    assert status == 7
    assert "KeyError: 'seen'" in err


def test_system_exit_in_a_task_does_not_end_the_program(run_program):
    status, out, err = run_program("""
import sys
Cothread.spawn(sys.exit, 5)
Cothread.sleep(0.01)
print("goes on")
""")
    assert (status, out) == (0, "goes on\n"), err


def test_ctrl_c_in_the_main_wait(run_program):
    status, out, err = run_program("""
other = Cothread.spawn(lambda: Cothread.sleep(0.2) or "went on")
def ready(): print("ready", flush=True)
Cothread.spawn(ready)
try:
    Cothread.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
print(other.wait())
try:
    Cothread.Event().wait(0.01)
except Cothread.TimedOut:
    print("waits again")
""", send=signal.SIGINT)
    assert (status, out) == (0, "interrupted\nwent on\nwaits again\n"), err


def test_ctrl_c_in_a_busy_task_reaches_main(run_program):
    status, out, err = run_program("""
def busy():
    try:
        print("ready", flush=True)
        while True:
            pass
    finally:
        print("unwound")
Cothread.spawn(busy)
try:
    Cothread.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
""", send=signal.SIGINT)
    assert (status, out) == (0, "unwound\ninterrupted\n"), err


def test_ctrl_c_in_a_callback_reaches_main(run_program):
    status, out, err = run_program("""
def busy():
    print("ready", flush=True)
    while True:
        pass
Cothread.callback(busy)
try:
    Cothread.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
""", send=signal.SIGINT)
    assert (status, out) == (0, "interrupted\n"), err


def test_a_signal_handler_of_the_programs_runs_during_the_main_wait(run_program):
    status, out, err = run_program("""
import signal
event = Cothread.Event()
signal.signal(signal.SIGUSR1, lambda *_: event.signal("from the handler"))
def ready(): print("ready", flush=True)
Cothread.spawn(ready)
print(event.wait(60))
""", send=signal.SIGUSR1)
    assert (status, out) == (0, "from the handler\n"), err


def test_ctrl_c_without_an_exit_handler_unwinds_tasks(run_program):
    status, out, err = run_program("""
def parked():
    try:
        Cothread.sleep(None)
    finally:
        print("unwound", flush=True)
Cothread.spawn(parked)
def ready(): print("ready", flush=True)
Cothread.spawn(ready)
Cothread.sleep(60)
""", send=signal.SIGINT)
    assert status != 0 and out == "unwound\n" and "KeyboardInterrupt" in err


@pytest.mark.parametrize("busy", [False, True])
def test_ctrl_c_in_a_main_loop(run_program, busy):
    status, out, err = run_program("""
loop = GLib.MainLoop()
def work():
    print("ready", flush=True)
    while %s:
        for _ in range(100000):
            pass
        Cothread.yield_()
Cothread.spawn(work)
try:
    loop.run()
except KeyboardInterrupt:
    print("interrupted")
""" % busy, send=signal.SIGINT)
    assert (status, out) == (0, "interrupted\n"), err


def test_ctrl_c_in_an_application(run_program):
    status, out, err = run_program("""
from gi.repository import Gio
application = Gio.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
def activate(application):
    application.hold()
    Cothread.spawn(lambda: [print("ready", flush=True)] + [Cothread.sleep(0.001) for _ in iter(int, 1)])
application.connect("activate", activate)
try:
    application.run()
except KeyboardInterrupt:
    print("interrupted")
""", send=signal.SIGINT)
    assert (status, out) == (0, "interrupted\n"), err


@pytest.mark.parametrize("seed", range(3))
def test_exit_while_threads_post(run_program, seed):
    status, out, err = run_program("""
import threading, time
def post():
    while True:
        try:
            Cothread.callback(int)
        except (Cothread.Full, Cothread.Closed):
            time.sleep(0.0001)
for _ in range(3):
    threading.Thread(target=post, daemon=True).start()
Cothread.sleep(0.01 * %d)
print("ends", flush=True)
""" % seed)
    assert (status, out) == (0, "ends\n"), err


def test_exit_with_a_thread_in_the_middle_of_its_own_tasks(run_program):
    status, out, err = run_program("""
import threading, time
begun = threading.Event()
def run():
    context = GLib.MainContext.new()
    context.push_thread_default()
    for _ in range(3):
        Cothread.spawn(Cothread.sleep, None)
    def tick():
        while True:
            begun.set()
            Cothread.sleep(0.0001)
    Cothread.spawn(tick)
    Cothread.sleep(None)
threading.Thread(target=run, daemon=True).start()
begun.wait()
print("ends", flush=True)
""")
    assert (status, out) == (0, "ends\n"), err


def test_a_thread_that_ends_without_shutting_down(run_program):
    status, out, err = run_program("""
import threading, gc
def run():
    context = GLib.MainContext.new()
    context.push_thread_default()
    tasks.extend(Cothread.spawn(Cothread.sleep, None) for _ in range(3))
    Cothread.sleep(0)
    context.pop_thread_default()
tasks = []
thread = threading.Thread(target=run)
thread.start()
thread.join()
repr(tasks)
del tasks
gc.collect()
print(Cothread.spawn(lambda: 7).wait(), flush=True)
""", env={"G_DEBUG": ""})
    assert (status, out) == (0, "7\n"), err


def test_exit_from_a_finalizer_and_after_an_exception_in_main(run_program):
    status, out, err = run_program("""
import sys
class Closing:
    def __del__(self):
        try:
            Cothread.sleep(0)
        except BaseException as error:
            print(type(error).__name__, flush=True)
closing = Closing()
def parked():
    try:
        Cothread.sleep(None)
    finally:
        print("unwound", flush=True)
Cothread.spawn(parked)
Cothread.sleep(0)
event = Cothread.Event()
event.signal(Closing())
raise LookupError("main")
""")
    assert status == 1 and "LookupError: main" in err and "unwound" in out, (out, err)


def test_a_task_that_spawns_and_calls_back_while_the_program_ends(run_program):
    status, out, err = run_program("""
def parked():
    try:
        Cothread.sleep(None)
    finally:
        for call in (lambda: Cothread.spawn(print, "never"), lambda: Cothread.callback(print, "never"), lambda: Cothread.sleep(0)):
            try:
                call()
            except BaseException as error:
                pass
        print("unwound", flush=True)
Cothread.spawn(parked)
Cothread.sleep(0)
""")
    assert status == 0 and out == "unwound\n", (out, err)
