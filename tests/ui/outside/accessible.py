# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program and its windows, as assistive technology and a keyboard see them."""

import re
import subprocess
import time

import gi
gi.require_version('Atspi', '2.0')
from gi.repository import Atspi, GLib  # noqa: E402

PATIENCE = 60  # seconds: these tests share two cores with others


def wait_until(what, condition):
    """Polls until the condition gives something; fails after a minute."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            found = condition()
        except GLib.Error:  # a busy program answers late, or what was asked has gone
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {PATIENCE} s: {what}')
        time.sleep(0.1)


def children(node):
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            yield child


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)


def number_in(text):
    """The number after the last colon, whose digits may be grouped."""
    digits = re.sub(r'\D', '', text.rsplit(':', 1)[-1])
    return int(digits) if digits else None


class Program:
    def __init__(self, *command, environment=None):
        Atspi.init()
        self.process = subprocess.Popen(command, env=environment)
        self.node = wait_until('the program shows a window', self._find)

    def _find(self):
        if self.process.poll() is not None:
            raise AssertionError(f'it ended with {self.process.returncode}')
        for app in children(Atspi.get_desktop(0)):
            if app.get_process_id() == self.process.pid and app.get_child_count() > 0:
                app.set_cache_mask(Atspi.Cache.NONE)
                return app
        return None

    def find(self, role, name):
        """The first of that role whose name begins so."""
        def search():
            for node in walk(self.node):
                if node.get_role_name() == role and (node.get_name() or '').startswith(name):
                    return node
            return None
        return wait_until(f'a {role} "{name}"', search)

    def number(self, role, name):
        node = self.find(role, name)
        return lambda: number_in(node.get_name())

    def act(self, node, action):
        for index in range(Atspi.Action.get_n_actions(node)):
            if Atspi.Action.get_action_name(node, index) == action:
                Atspi.Action.do_action(node, index)
                return
        raise AssertionError(f'{node.get_name()} has no action {action}')

    def toggle(self, name):
        node = self.find('check box', name)
        was = is_checked(node)
        self.act(node, 'toggle')
        wait_until(f'{name} is toggled', lambda: is_checked(node) != was)

    def set_value(self, name, value):
        node = self.find('spin button', name)
        Atspi.Value.set_current_value(node, value)
        wait_until(f'{name} is {value}', lambda: Atspi.Value.get_current_value(node) == value)

    def press(self, *keys):
        """Keys go to the window, as from a keyboard; without a window manager it has to be told."""
        title = self.find('frame', '').get_name()
        window = wait_until('the window is on the screen', lambda: subprocess.run(
            ['xdotool', 'search', '--onlyvisible', '--name', f'^{title}$'], capture_output=True, text=True,
            check=False).stdout.split())
        subprocess.run(['xdotool', 'windowfocus', '--sync', window[0]], check=True)
        subprocess.run(['xdotool', 'key', '--delay', '300', *keys], check=True)

    def close(self):
        self.act(self.find('frame', ''), 'window.close')

    def wait_for_end(self):
        return self.process.wait(timeout=PATIENCE)

    def end(self):
        """For the end of a test that failed half-way."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Started(Program):
    """One that another program has started; it is told by its name."""

    def __init__(self, name):
        self.node = wait_until(f'{name} shows a window', lambda: self._find_named(name))

    def _find_named(self, name):
        for app in children(Atspi.get_desktop(0)):
            if app.get_name() == name and app.get_child_count() > 0:
                app.set_cache_mask(Atspi.Cache.NONE)
                return app
        return None


def is_checked(node):
    return node.get_state_set().contains(Atspi.StateType.CHECKED)
