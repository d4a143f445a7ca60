# SPDX-License-Identifier: LGPL-2.1-or-later
"""A GTK 4 window in an interactive session lives while the prompt waits: `igtk.py`; without a display it makes one."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from terminal import Terminal  # noqa: E402

WINDOW = """
frames = [0]
clicks = []
def painted(area, clock):
    frames[0] += 1
    area.queue_draw()
    return True
def window():
    area = Gtk.DrawingArea()
    button = Gtk.Button(label='press')
    def pressed(button):
        @cothread.Spawn
        def work():
            cothread.Sleep(0.01)
            clicks.append(1)
    button.connect('clicked', pressed)
    box = Gtk.Box()
    box.append(area)
    box.append(button)
    top = Gtk.Window(child=box, default_width=200, default_height=100)
    area.add_tick_callback(painted)
    top.present()
    return top, button
"""


def number(session, expression):
    return int(session.type(expression).splitlines()[1])


def wait_for(session, expression, least):
    end = time.monotonic() + 100
    while number(session, expression) < least:
        assert time.monotonic() < end, session.text[-1000:]
        time.sleep(0.3)


def test_a_window_lives_in_an_interactive_session():
    with Terminal("-i", "-c", f"import cothread; text = {WINDOW!r}") as session:
        session.type("Gtk = cothread.igtk()")
        session.type("exec(text)")
        session.type("top, button = window()")
        # It paints while the prompt waits, a task runs beside it, and a handler's task does its work.
        wait_for(session, "frames[0]", 3)
        session.type("ticks = []; timer = cothread.Timer(0.01, lambda: ticks.append(1), retrigger=True)")
        before = number(session, "frames[0]")
        time.sleep(1)
        wait_for(session, "frames[0]", before + 5)
        wait_for(session, "len(ticks)", 5)
        session.type("button.emit('clicked'); button.emit('clicked')")
        wait_for(session, "len(clicks)", 2)
        # A modal dialog stops nobody.
        session.type("dialog = Gtk.Window(modal=True, transient_for=top); dialog.present()")
        before, ticks = number(session, "frames[0]"), number(session, "len(ticks)")
        wait_for(session, "frames[0]", before + 5)
        wait_for(session, "len(ticks)", ticks + 5)
        session.type("dialog.destroy()")
        # Nor do tasks that only ever yield.
        session.type("forever = lambda: [cothread.Yield() for _ in iter(int, 1)]")
        session.type("tasks = [cothread.Spawn(forever) for _ in range(3)]")
        before = number(session, "frames[0]")
        wait_for(session, "frames[0]", before + 5)
        session.type("[task._task.cancel() for task in tasks]")
        # In a wait of the main code, too.
        before = number(session, "frames[0]")
        session.type("cothread.Sleep(0.5)")
        assert number(session, "frames[0]") > before, session.text
        session.type("top.destroy()")
        session.send("\x04")
        assert session.status() == 0, session.text


if __name__ == "__main__":
    os.environ["G_DEBUG"] = "fatal-criticals"  # GTK warns where there is no session bus
    if not os.environ.get("XVFB_SCREEN"):
        display = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ui", "with-display")
        os.execv(display, [display, sys.executable, os.path.abspath(__file__)])
    test_a_window_lives_in_an_interactive_session()
    print("good")
