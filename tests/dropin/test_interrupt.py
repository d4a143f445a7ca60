# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, Quit, WaitForQuit and KeyboardInterrupt."""
import signal

import cothread
from support import has_pygobject, run


def interrupted(text):
    status, out, err = run("import cothread, threading, time, sys\n"
                           "def say(what): print(what, flush=True)\n" + text, send=signal.SIGINT)
    return status, out, err


def test_quit_is_sticky_and_wakes_everybody():
    status, out, err = run("import cothread\n"
                           "waiters = [cothread.Spawn(cothread.WaitForQuit) for _ in range(3)]\n"
                           "cothread.Timer(0.01, cothread.Quit)\n"
                           "cothread.WaitForQuit()\n"
                           "cothread.WaitForQuit()\n"
                           "cothread.WaitForAll(waiters, 60)\n"
                           "print('good')")
    assert (status, out, err) == (0, "good\n", "")


def test_wait_for_quit_takes_ctrl_c():
    assert interrupted("cothread.Spawn(say, 'ready')\n"
                       "cothread.WaitForQuit()\n"
                       "cothread.Sleep(0.01)\n"
                       "say('quit')") == (0, "quit\n", "")


def test_wait_for_quit_in_a_task_takes_ctrl_c():
    assert interrupted("waiter = cothread.Spawn(cothread.WaitForQuit)\n"
                       "cothread.Spawn(say, 'ready')\n"
                       "waiter.Wait()\n"
                       "say('quit')") == (0, "quit\n", "")


def test_afterwards_ctrl_c_is_what_it_was():
    assert interrupted("cothread.Timer(0.001, cothread.Quit)\n"
                       "cothread.WaitForQuit()\n"
                       "cothread.Spawn(say, 'ready')\n"
                       "try: cothread.Sleep(60)\n"
                       "except KeyboardInterrupt: say('interrupted')\n") == (0, "interrupted\n", "")


def test_without_catch_interrupt_ctrl_c_is_raised_and_the_scheduler_goes_on():
    # A task that runs when the signal comes would end; this one is parked.
    assert interrupted("event = cothread.Event()\n"
                       "parked = cothread.Spawn(event.Wait)\n"
                       "cothread.Spawn(say, 'ready')\n"
                       "try: cothread.WaitForQuit(catch_interrupt=False)\n"
                       "except KeyboardInterrupt:\n"
                       "    cothread.Timer(0.01, lambda: event.Signal('still there'))\n"
                       "    say(parked.Wait(60))\n"
                       "cothread.Quit()\n"
                       "cothread.WaitForQuit()") == (0, "still there\n", "")


def test_in_the_main_wait_the_wait_is_cancelled_cleanly():
    for wait in ("event.Wait()", "event.Wait(60)", "queue.Wait()", "cothread.Sleep(60)", "task.Wait()", "threaded.Wait()",
                 "cothread.WaitForAll([task, event])", "cothread.select([0], [], [], 60)"):
        status, out, err = interrupted(
            "import os\n"
            "read_end, write_end = os.pipe(); os.dup2(read_end, 0)\n"
            "event, queue, threaded = cothread.Event(), cothread.EventQueue(), cothread.ThreadedEventQueue()\n"
            "task = cothread.Spawn(cothread.Sleep, None)\n"
            "cothread.Spawn(say, 'ready')\n"
            f"try: {wait}\n"
            "except KeyboardInterrupt: say('interrupted')\n"
            # What the wait was on is as before.
            "if 'WaitForAll' not in %r:\n"
            "    cothread.Timer(0.001, lambda: event.Signal(5))\n"
            "    assert event.Wait(60) == 5\n"
            "queue.Signal(6); threaded.Signal(7)\n"
            "assert (queue.Wait(), threaded.Wait()) == (6, 7)\n"
            "say('good')" % wait)
        assert (status, out, err) == (0, "interrupted\ngood\n", ""), (wait, status, out, err)


def test_in_a_busy_task_it_ends_the_task_and_is_raised_in_main():
    assert interrupted("others = []\n"
                       "def busy():\n"
                       "    try:\n"
                       "        say('ready')\n"
                       "        while True: pass\n"
                       "    finally: say('busy task ends')\n"
                       "def other():\n"
                       "    cothread.Sleep(0.01)\n"
                       "    others.append(1)\n"
                       "other = cothread.Spawn(other)\n"
                       "task = cothread.Spawn(busy)\n"
                       "try: task.Wait()\n"
                       "except KeyboardInterrupt: say('interrupted')\n"
                       "other.Wait(60)\n"
                       "assert task and task.Wait() is None and others == [1]\n") == (0, "busy task ends\ninterrupted\n", "")


def test_a_busy_task_that_waits_now_and_then_does_not_hold_it_up():
    status, out, err = interrupted("def busy():\n"
                                   "    while True:\n"
                                   "        sum(range(1000))\n"
                                   "        cothread.Yield()\n"
                                   "tasks = [cothread.Spawn(busy) for _ in range(3)]\n"
                                   "cothread.Spawn(say, 'ready')\n"
                                   "try: cothread.Sleep(60)\n"
                                   "except KeyboardInterrupt: say('interrupted')")
    assert (status, out, err) == (0, "interrupted\n", "")


def test_wait_for_quit_with_a_busy_task_ends_when_the_task_lets_it():
    assert interrupted("def busy():\n"
                       "    say('ready')\n"
                       "    end = time.monotonic() + 0.5\n"
                       "    while time.monotonic() < end: pass\n"
                       "    say('done')\n"
                       "cothread.Spawn(busy)\n"
                       "cothread.WaitForQuit()\n"
                       "say('quit')") == (0, "done\nquit\n", "")


def test_where_a_main_loop_runs_wait_for_quit_in_a_task_takes_ctrl_c():
    if has_pygobject():
        status, out, err = interrupted("from gi.repository import GLib\n"
                                       "loop = GLib.MainLoop()\n"
                                       "def main():\n"
                                       "    cothread.WaitForQuit()\n"
                                       "    say('quit')\n"
                                       "    loop.quit()\n"
                                       "cothread.Spawn(main)\n"
                                       "cothread.Timer(0.05, lambda: say('ready'))\n"
                                       "loop.run()")
        assert (status, out) == (0, "quit\n"), (status, out, err)


def test_ctrl_c_just_before_a_wait_interrupts_it():
    # No bytecode in between at which Python would look for signals.
    status, out, err = run("import _thread, collections, functools, operator, cothread\n"
                           "calls = [_thread.interrupt_main, functools.partial(cothread.Event().Wait, 60)]\n"
                           "for _ in range(3):\n"
                           "    try: collections.deque(map(operator.call, calls))\n"
                           "    except KeyboardInterrupt: print('interrupted')\n"
                           "cothread.Sleep(0.01)")
    assert (status, out, err) == (0, "interrupted\n" * 3, "")


def test_uncaught_it_ends_the_program_and_unwinds_the_tasks():
    status, out, err = interrupted("def parked():\n"
                                   "    try: cothread.Sleep(None)\n"
                                   "    finally: say('unwound')\n"
                                   "cothread.Spawn(parked); cothread.Spawn(say, 'ready')\n"
                                   "cothread.Sleep(60)")
    assert status == -signal.SIGINT and out == "unwound\n" and err.endswith("KeyboardInterrupt\n")


def test_nobody_waits_for_quit_in_the_tests_program():
    # So that the tests after this one are not disturbed: Quit() is for the whole program.
    assert cothread.cothread._quit is None or not cothread.cothread._quit
