# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every test begins without tasks, and leaves none behind."""
import gc
import os
import signal
import subprocess
import sys

import pytest

import gi

gi.require_version("Cothread", "1.0")
from gi.repository import Cothread  # noqa: E402


@pytest.fixture(autouse=True)
def no_tasks_left():
    def hang(*_):
        Cothread.dump_tasks()
        raise TimeoutError("the test does not end")

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(120)
    yield
    signal.alarm(0)
    for task in Cothread.tasks():
        task.cancel()
    for _ in range(100):
        if not Cothread.tasks():
            break
        Cothread.sleep(0)
    assert Cothread.tasks() == []
    gc.collect()


@pytest.fixture
def reports(monkeypatch):
    """What was reported because nobody waited for it."""
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, value, trace: seen.append(value))
    return seen


@pytest.fixture
def run_program():
    """Runs a program of its own; returns (status, stdout, stderr)."""
    def run(text, *options, send=None, timeout=60, env={}):
        program = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *options, "-c", "import gi\ngi.require_version('Cothread', '1.0')\n"
             "from gi.repository import Cothread, GLib\n" + text],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env})
        if send is not None:
            # It says when it is ready.
            assert program.stdout.readline() == "ready\n"
            program.send_signal(send)
        out, err = program.communicate(timeout=timeout)
        return program.returncode, out, err
    return run
