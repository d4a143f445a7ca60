# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be seen of Python's tasks from outside: lists, dumps, the session bus."""
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

from gi.repository import Cothread, Gio, GLib

scheduler = Cothread.Scheduler.get_default()


def inner():
    Cothread.sleep(60)


def outer():
    inner()


LINE = outer.__code__.co_firstlineno


@pytest.fixture
def parked():
    task = Cothread.spawn(outer)
    Cothread.sleep(0)
    yield task
    task.cancel()


def dumped(task):
    everything = json.loads(scheduler.dump_json(Cothread.DumpFlags.BACKTRACES, 0))
    return next(one for one in everything["tasks"] if one["id"] == task.id)


def python_frames(one):
    return [line for line in one["backtrace"] if line.startswith("File ")]


def test_a_dump_as_json_has_language_function_line_and_traceback(parked):
    one = dumped(parked)
    assert (one["language"], one["state"], one["waits_for"]) == ("Python", "waiting", "sleep")
    assert one["name"] == f"outer (test_monitor.py:{LINE})"
    assert python_frames(one) == [f'File "{__file__}", line {LINE - 3}, in inner', f'File "{__file__}", line {LINE + 1}, in outer']
    # Those in C come after.
    assert len(one["backtrace"]) > 2


def test_a_dump_as_text_has_them_too(parked):
    text = scheduler.dump_text(Cothread.DumpFlags.BACKTRACES, 0)
    assert f'task {parked.id} "outer (test_monitor.py:{LINE})" (Python): waiting for sleep' in text
    assert f'  #0 File "{__file__}", line {LINE - 3}, in inner\n' in text


def test_a_task_that_dumps_itself_is_told_where_it_is():
    def look():
        return python_frames(dumped(Cothread.current_task()))

    frames = Cothread.spawn(look).wait()
    assert [line.rsplit(" ", 1)[1] for line in frames] == ["dumped", "test_a_task_that_dumps_itself_is_told_where_it_is.<locals>.look"]


def test_tasks_that_have_not_begun_or_have_ended_have_no_frames():
    task = Cothread.spawn(outer)
    assert dumped(task)["backtrace"] == []
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    assert task.id not in [info.id for info in scheduler.list_task_infos(0)]


def test_a_callback_that_waits_is_shown_with_its_frames():
    event = Cothread.Event()
    done = []

    def called_back():
        done.append(event.wait())

    for _ in range(2):
        Cothread.callback(called_back)
    Cothread.sleep(0.01)
    everything = json.loads(scheduler.dump_json(Cothread.DumpFlags.BACKTRACES, 0))["tasks"]
    waiting = [one for one in everything if one["name"] == "callback" and one["language"] == "Python" and python_frames(one)]
    assert len(waiting) == 2
    assert all("called_back" in one["backtrace"][0] for one in waiting)
    for value in (1, 2):
        event.signal(value)
        Cothread.sleep(0)
    assert done == [1, 2]


def test_the_list_of_tasks_has_names_and_languages(parked):
    info = next(info for info in scheduler.list_task_infos(0) if info.id == parked.id)
    assert (info.name, info.language, info.wait_reason) == (f"outer (test_monitor.py:{LINE})", "Python", "sleep")
    rows = Cothread.TaskList.new(scheduler)
    rows.refresh()
    shown = [(row.props.name, row.props.language) for row in (rows.get_item(i) for i in range(rows.get_n_items()))]
    assert (info.name, "Python") in shown


def test_a_dump_of_many_tasks_takes_time_in_proportion():
    """Each is looked up by what the library knows of it."""
    tasks = [Cothread.spawn(outer) for _ in range(3000)]
    Cothread.sleep(0)
    everything = json.loads(scheduler.dump_json(Cothread.DumpFlags.BACKTRACES, 0))["tasks"]
    names = {task.id for task in tasks}
    assert all(len(python_frames(one)) == 2 for one in everything if one["id"] in names)
    for task in tasks:
        task.cancel()
    Cothread.sleep(0)


def test_a_dump_in_another_threads_scheduler():
    frames = []

    def run():
        context = GLib.MainContext.new()
        context.push_thread_default()
        own = Cothread.Scheduler.get_default()
        task = Cothread.spawn(outer)
        Cothread.sleep(0)
        frames.extend(line for one in json.loads(own.dump_json(Cothread.DumpFlags.BACKTRACES, 0))["tasks"]
                      for line in python_frames(one))
        task.cancel()
        from _cothread import shut_down
        shut_down()
        context.pop_thread_default()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(frames) == 2


# ---- the session bus ----

@pytest.fixture
def bus():
    if shutil.which("dbus-daemon") is None:
        pytest.skip("no dbus-daemon here")
    daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True)
    yield daemon.stdout.readline().strip()
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


PROGRAM = """
import sys
import gi
gi.require_version("Cothread", "1.0")
from gi.repository import Cothread, GLib
%s
def inner():
    Cothread.sleep(None)
def download():
    inner()
for _ in range(3):
    Cothread.spawn(download)
loop = GLib.MainLoop()
def end():
    Cothread.wait_fd(sys.stdin, GLib.IO_IN | GLib.IO_HUP)
    loop.quit()
Cothread.spawn(end)
loop.run()
"""


@pytest.mark.parametrize("begin, environment", [
    ("", {"COTHREAD_MONITOR": "1"}), ("watched = Cothread.BusMonitor.new(Cothread.Scheduler.get_default())", {})],
    ids=["by the environment", "by one call"])
def test_a_program_is_watched_over_the_bus(bus, begin, environment):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM % begin], stdin=subprocess.PIPE,
        env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus, "COTHREAD_MONITOR": "", **environment})
    try:
        connection = Gio.DBusConnection.new_for_address_sync(
            bus, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

        def call(method, *arguments):
            return Cothread.call_async(
                connection.call, f"org.cothread.Monitor.p{program.pid}", "/org/cothread/Monitor", "org.cothread.Monitor1",
                method, GLib.Variant(*arguments) if arguments else None, None, Gio.DBusCallFlags.NONE, -1,
                finish=connection.call_finish)

        def ask():
            while True:
                try:
                    tasks = call("ListTasks", "(u)", (100,)).unpack()[0]
                except GLib.Error:
                    tasks = []  # it has not begun
                if sum(task["name"].startswith("download") for task in tasks) == 3:
                    break
                Cothread.sleep(0.05)
            return tasks, call("Dump", "(bu)", (True, 100)).unpack()[0]

        tasks, dump = Cothread.spawn(ask).wait(60)
        downloads = [task for task in tasks if task["name"].startswith("download")]
        line = PROGRAM.replace("%s", begin).splitlines().index("def download():") + 1
        assert {(task["name"], task["language"]) for task in downloads} == {(f"download (<string>:{line})", "Python")}
        assert f'File "<string>", line {line - 1}, in inner' in dump
        top = os.environ.get("COTHREAD_TOP")
        if top:
            shown = subprocess.run([top, "--once", str(program.pid)], env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus},
                                   stdout=subprocess.PIPE, text=True, check=True).stdout
            assert shown.count("download (") == 3, shown
        connection.close_sync(None)
    finally:
        program.stdin.close()
        assert program.wait(60) == 0
