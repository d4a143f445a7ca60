# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program written for the original runs unchanged: by itself, and where GLib's main loop runs already."""
import glob
import os
import select
import subprocess
import sys

import cothread
from support import HERE, has_pygobject, raises, run

PROGRAMS = sorted(glob.glob(os.path.join(HERE, "programs", "*.out")))


def check(path, *before):
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-W", "ignore::ImportWarning", *before, path[:-3] + "py"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    with open(path) as expected:
        assert (done.returncode, done.stdout, done.stderr) == (0, expected.read(), ""), (path, before, done)


def test_programs_run_by_themselves():
    assert len(PROGRAMS) == 4
    for path in PROGRAMS:
        check(path)


def test_programs_run_where_a_main_loop_runs_already():
    if has_pygobject():
        for path in PROGRAMS:
            check(path, os.path.join(HERE, "programs", "in_loop.py"))


def test_the_package_and_its_modules_have_the_originals_names():
    from cothread import coselect, coserver, cosocket, input_hook
    for name in cothread.__all__:
        assert getattr(cothread, name).__doc__ or isinstance(getattr(cothread, name), int), name
    assert cothread.cosocket is cosocket and cothread.coserver is coserver and cothread.socket_hook is cosocket.socket_hook
    assert cothread.cothread.Spawn is cothread.Spawn and cothread.coselect.select is coselect.select is cothread.select
    assert cothread.input_hook is input_hook and cothread.socketpair is cosocket.socketpair
    raises(AttributeError, getattr, cothread, "nonsense")
    scope = {}
    exec("from cothread import *", scope)
    assert set(cothread.__all__) <= set(scope)


def test_everything_public_has_a_docstring():
    from cothread import coselect, coserver, cosocket, input_hook
    for module in (cothread.cothread, coselect, cosocket, coserver, input_hook):
        for name in module.__all__:
            thing = getattr(module, name)
            if isinstance(thing, int) or thing is None:
                continue
            assert thing.__doc__, (module, name)
            if isinstance(thing, type) and thing.__module__.startswith("cothread"):
                for method, value in vars(thing).items():
                    if callable(value) and not method.startswith("_"):
                        assert value.__doc__, (module, name, method)


def test_poll_scheduler_lets_another_loop_drive_it():
    order = []

    def work():
        for i in range(3):
            cothread.Sleep(0.001)
            order.append(i)

    read_end, write_end = os.pipe()
    reader = cothread.Spawn(cothread.poll_list, [(read_end, cothread.POLLIN)])
    task = cothread.Spawn(work)
    ready, asked = [], 0
    os.write(write_end, b"x")
    while asked < 100000:
        wanted, timeout = cothread.poll_scheduler(ready)
        asked += 1
        if task and reader:
            break
        poll = select.poll()
        for fd, events in wanted:
            poll.register(fd, events)
        ready = poll.poll(None if timeout is None else timeout * 1000 + 1)
    assert order == [0, 1, 2] and reader.Wait() == [(read_end, cothread.POLLIN)] and asked >= 3
    os.close(read_end)
    os.close(write_end)
    assert raises(AssertionError, cothread.Spawn(cothread.poll_scheduler, raise_on_wait=True).Wait) is not None
    raises(TypeError, cothread.poll_scheduler, 5)


def test_iqt_explains_itself_where_there_is_no_qt():
    status, out, err = run("import sys\n"
                           "for name in ('PyQt5', 'PyQt6', 'PySide2', 'PySide6'): sys.modules[name] = None\n"
                           "import cothread\n"
                           "try: cothread.iqt(poll_interval=0.05, run_exec=False, argv=[])\n"
                           "except ImportError as error: print(error)")
    assert status == 0 and "igtk()" in out and err == ""


def test_iqt_makes_an_application_and_lets_it_handle_its_events():
    # As much of Qt as iqt() uses.
    status, out, err = run("import sys, types\n"
                           "class Signal:\n"
                           "    def connect(self, slot): self.slot = slot\n"
                           "class QApplication:\n"
                           "    rounds = 0\n"
                           "    def __init__(self, argv): self.lastWindowClosed = Signal()\n"
                           "    @staticmethod\n"
                           "    def instance(): return None\n"
                           "    def processEvents(self):\n"
                           "        self.rounds += 1\n"
                           "        if self.rounds == 5: self.lastWindowClosed.slot()\n"
                           "sys.modules['PyQt5'] = types.ModuleType('PyQt5')\n"
                           "sys.modules['PyQt5.QtWidgets'] = widgets = types.ModuleType('PyQt5.QtWidgets')\n"
                           "widgets.QApplication = QApplication\n"
                           "import cothread\n"
                           "application = cothread.iqt(poll_interval=0.001)\n"
                           "assert cothread.iqt() is application\n"
                           "cothread.WaitForQuit()\n"
                           "print(application.rounds >= 5)")
    assert (status, out, err) == (0, "True\n", "")


def test_tasks_of_both_interfaces_wait_for_each_other():
    if not has_pygobject():
        return
    for first, second in (("import cothread", "from gi.repository import Cothread"),
                          ("from gi.repository import Cothread", "import cothread")):
        status, out, err = run("import gi; gi.require_version('Cothread', '1.0')\n"
                               f"{first}\n{second}\n"
                               "import os\n"
                               "event, queue = cothread.Event(), Cothread.EventQueue()\n"
                               "assert isinstance(event, Cothread.Event) and cothread.Timedout is Cothread.TimedOut\n"
                               "task = Cothread.spawn(lambda: (event.wait(), queue.signal(2)))\n"
                               "other = cothread.Spawn(lambda: (event.Signal(1), queue.wait()))\n"
                               "assert task.wait() == (1, True) and other.Wait() == (None, 2)\n"
                               "assert Cothread.wait_any([event, cothread.Spawn(int)._task])[0] == 1\n"
                               "child = os.fork()\n"
                               "if child == 0:\n"
                               "    assert cothread.Spawn(Cothread.Scope().spawn, int).Wait().wait() == 0\n"
                               "    os._exit(0)\n"
                               "assert os.waitpid(child, 0)[1] == 0\n"
                               "def parked():\n"
                               "    try: cothread.Sleep(None)\n"
                               "    finally: print('unwound')\n"
                               "cothread.Spawn(parked); cothread.Sleep(0)\n")
        assert (status, out, err) == (0, "unwound\n", ""), (first, status, out, err)


def test_in_a_handler_of_the_main_loop_a_wait_says_what_to_do():
    if not has_pygobject():
        return
    status, out, err = run("from gi.repository import GLib\n"
                           "import cothread, os\n"
                           "loop = GLib.MainLoop()\n"
                           "read_end, write_end = os.pipe()\n"
                           "def handler():\n"
                           "    for wait in (lambda: cothread.Sleep(0), cothread.Event().Wait, cothread.WaitForQuit, cothread.Yield,\n"
                           "                 lambda: cothread.select([read_end], [], [], 1)):\n"
                           "        try: wait()\n"
                           "        except AssertionError as error: assert 'pawn' in str(error), error\n"
                           "        else: raise SystemError\n"
                           "    assert cothread.select([read_end], [write_end], [], 0) == ([], [write_end], [])\n"
                           "    event = cothread.Event()\n"
                           "    cothread.Timer(0.001, event.Signal)\n"
                           "    cothread.Spawn(lambda: (event.Wait(), print('good'), loop.quit()))\n"
                           "GLib.idle_add(handler)\n"
                           "loop.run()\n")
    assert (status, out, err) == (0, "good\n", ""), (status, out, err)
