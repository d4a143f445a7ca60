# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, interactive use: the readline hook lets tasks run while the interactive prompt waits."""
import os
import subprocess
import sys
import time

from terminal import Terminal

TICK = ("def tick():\n    while True:\n        cothread.Sleep(0.01)\n        ticks.append(1)\n")

# Without readline Python waits in another way; -i would load it before anything else. From 3.13 on there is a prompt
# in Python, which a dumb terminal does not get.
KINDS = [("-i", "-c", "import cothread; ticks = []"),
         ("-c", "import os, sys; sys.modules['readline'] = None; os.environ['PYTHONINSPECT'] = '1'; import cothread; ticks = []")]


def each_kind(test):
    for options in KINDS:
        with Terminal(*options) as session:
            test(session)


def wait_for_ticks(session, count):
    """They come while nobody types."""
    end = time.monotonic() + 60
    while True:
        answer = session.type("len(ticks)")
        if int(answer.splitlines()[1]) >= count:
            return
        assert time.monotonic() < end, answer
        time.sleep(0.3)


def test_tasks_run_while_the_prompt_waits():
    def test(session):
        session.type(f"exec({TICK!r})")
        session.type("task = cothread.Spawn(tick)")
        wait_for_ticks(session, 20)

    each_kind(test)


def test_waits_at_the_prompt_work_and_so_do_results():
    def test(session):
        assert "[0, 1, 2]" in session.type("cothread.WaitForAll([cothread.Spawn(lambda i=i: cothread.Sleep(0.01) or i) for i in range(3)])")
        session.type("event = cothread.Event(); timer = cothread.Timer(0.05, lambda: event.Signal('rang'))")
        assert "'rang'" in session.type("event.Wait(60)")
        assert "Timedout" in session.type("cothread.Timedout.__name__ and event.Wait(0.01)") or "TimedOut" in session.text
        assert "4" in session.type("2 + 2")

    each_kind(test)


def test_what_a_task_prints_appears_while_the_prompt_waits():
    def test(session):
        session.type("timer = cothread.Timer(0.1, lambda: print('n' + 'ow', flush=True))")
        session.wait_for("now")
        assert "3" in session.type("1 + 2")

    each_kind(test)


def test_ctrl_c_at_the_prompt_and_in_a_wait():
    def test(session):
        session.type(f"exec({TICK!r})")
        session.type("task = cothread.Spawn(tick)")
        for _ in range(3):
            mark = len(session.text)
            session.send("unfinished")
            # The terminal drops what was not read when Ctrl-C comes, and readline waits for a key that select() saw.
            session.wait_for("unfinished", mark)
            session.send("\x03")
            session.wait_for("KeyboardInterrupt", mark)
            session.wait_for(">>> ", session.text.index("KeyboardInterrupt", mark))
            assert "9" in session.type("4 + 5").splitlines()[1]
        mark = len(session.text)
        session.send("print('beg' + 'in', flush=True); cothread.Sleep(600)\n")
        session.wait_for("begin", mark)
        session.send("\x03")
        session.wait_for("KeyboardInterrupt", mark)
        session.wait_for(">>> ", session.text.index("KeyboardInterrupt", mark))
        # If it was the task that ran when a signal came, it has ended.
        session.type("task = task and cothread.Spawn(tick) or task")
        session.type("ticks.clear()")
        wait_for_ticks(session, 3)

    each_kind(test)


ASK = """
def ask():
    try:
        input('ask' + '> ')
    except KeyboardInterrupt:
        print('caught')
    import time
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        pass
    print('fi' + 'ne')
"""


def test_ctrl_c_in_input_is_raised_once():
    def test(session):
        session.type(f"exec({ASK!r})")
        mark = len(session.text)
        session.send("ask()\n")
        session.wait_for("ask> ", mark)
        time.sleep(0.5)  # until tasks run; before, the prompt would hear it itself
        session.send("\x03")
        session.wait_for("caught", mark)
        session.wait_for("fine", mark)
        assert "KeyboardInterrupt" not in session.text[mark:]

    each_kind(test)


def test_the_prompt_that_is_written_in_python():
    if sys.version_info < (3, 13):
        return
    with Terminal(*KINDS[0], env={"TERM": "xterm"}) as session:
        session.send(f"exec({TICK!r})\n")
        session.send("task = cothread.Spawn(tick)\n")
        session.send("print('be' + 'gun', '_pyrepl' in __import__('sys').modules)\n")
        session.wait_for("begun True")
        time.sleep(1)
        session.send("print('ti' + 'cks', len(ticks) > 3)\n")
        session.wait_for("ticks True")
        # It reads ahead: nothing of that may wait for the next key.
        mark = len(session.text)
        session.send("unfinished")
        session.wait_for("unfinished", mark)
        time.sleep(0.5)
        mark = len(session.text)
        session.send("\x03")
        session.wait_for("KeyboardInterrupt", mark)
        session.send("print(4 + 5, 'done')\n")
        session.wait_for("9 done", mark)


def test_the_hook_can_be_taken_off():
    def test(session):
        session.type(f"exec({TICK!r})")
        session.type("task = cothread.Spawn(tick)")
        wait_for_ticks(session, 3)
        session.type("cothread.install_readline_hook(False)")
        session.type("ticks.clear()")
        time.sleep(0.3)
        assert session.type("len(ticks)").splitlines()[1] == "0"
        session.type("cothread.input_hook._install_readline_hook()")
        wait_for_ticks(session, 3)

    each_kind(test)


def test_leaving_the_prompt_unwinds_the_tasks():
    def test(session):
        session.type("def parked():\n    try:\n        cothread.Sleep(None)\n    finally:\n        print('unw' + 'ound')\n\n")
        session.type("task = cothread.Spawn(parked)")
        session.send("\x04")
        assert session.status() == 0 and "unwound" in session.text, session.text

    each_kind(test)


def test_a_program_without_a_terminal_gets_no_hook():
    read_end, write_end = os.pipe()
    program = "import _cothread, cothread; print(_cothread.get_input_hook())"
    out = subprocess.run([sys.executable, "-c", program], stdin=read_end, stdout=subprocess.PIPE, text=True).stdout
    os.close(read_end)
    os.close(write_end)
    assert out == "None\n"
