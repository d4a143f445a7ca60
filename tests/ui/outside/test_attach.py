# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard watches another process, which dies; and finds none."""

import os
import subprocess
import sys
import tempfile
import unittest

import screen
from accessible import Atspi, PATIENCE, Program, wait_until, walk
from gi.repository import GLib

DASHBOARD = os.environ['COTHREAD_DASHBOARD']
VICTIM = os.environ['COTHREAD_BUS_VICTIM']


class Victim:
    def __init__(self):
        self.process = subprocess.Popen([VICTIM], env=dict(os.environ, COTHREAD_MONITOR='1'), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == 'ready\n'
        self.pid = str(self.process.pid)
        wait_until('it is on the bus', self._is_on_bus)

    def _is_on_bus(self):
        return subprocess.run(['dbus-send', '--session', '--print-reply', f'--dest=org.cothread.Monitor.p{self.pid}',
                               '/org/cothread/Monitor', 'org.cothread.Monitor1.GetStatistics'],
                              capture_output=True, check=False).returncode == 0

    def tell(self, letters):
        self.process.stdin.write(letters)
        self.process.stdin.flush()

    def post(self):
        """Posts callbacks and gives the counter of its own queue."""
        self.tell('c')
        return int(self.process.stdout.readline())

    def is_alive(self):
        self.tell('\n')
        return self.process.stdout.readline() == 'alive\n'

    def kill(self):
        self.process.kill()
        self.process.communicate()


class AttachTest(unittest.TestCase):
    def attach(self, *arguments):
        victim = Victim()
        self.addCleanup(victim.kill)
        program = Program(DASHBOARD, '--folder', '/usr/share/doc', '--attach', victim.pid, *arguments)
        self.addCleanup(program.end)
        program.find('label', f'Process: {victim.pid}')
        program.find('label', 'State: answers')
        return victim, program

    def close(self, program):
        program.close()
        self.assertEqual(program.wait_for_end(), 0)

    def test_shows_the_depth_that_the_other_counts(self):
        victim, program = self.attach()
        depth = program.number('label', 'Queue depth: ')
        victim.tell('p')
        for _ in range(3):
            waiting = victim.post()
            self.assertGreater(waiting, 0)
            wait_until(f'{waiting} are shown', lambda: depth() == waiting)
            wait_until('by the plot too', lambda: f': {waiting} waiting' in program.find(
                'image', 'Callback queue over time').get_name())
        self.assertEqual(program.number('label', 'Tasks: ')(), 6)
        screen.take_picture('attach-queue.png')
        self.assertTrue(victim.is_alive())
        self.close(program)
        self.assertTrue(victim.is_alive())

    def test_opens_a_task_and_tells_where_it_stands(self):
        victim, program = self.attach('--page', 'tasks')
        entry = program.find('entry', 'Filter the tasks')
        Atspi.EditableText.set_text_contents(entry, 'ticker')
        wait_until('one is left', lambda: any(node.get_name() == '1 of 6 tasks' for node in walk(program.node)))
        rows = next(node for node in walk(program.find('tree table', 'Tasks')) if node.get_role_name() == 'list')
        Atspi.Selection.select_child(rows, 0)
        program.find('label', 'Name: ticker')
        program.find('label', 'Waits for: sleep')
        wait_until('where it stands', lambda: 'ticker' in program.find('label', 'Stands in: ').get_name())
        screen.take_picture('attach-tasks.png')
        self.close(program)
        self.assertTrue(victim.is_alive())

    def test_tells_what_looks_wrong_and_that_it_hangs(self):
        victim, program = self.attach('--page', 'warnings')
        victim.tell('d')
        wait_until('a circle is told', lambda: any('Kastor' in (node.get_name() or '') for node in walk(program.node)))
        victim.tell('h')
        program.find('label', f'Process {victim.pid} does not answer')
        screen.take_picture('attach-warnings.png')
        program.find('label', 'State: answers')
        self.assertTrue(victim.is_alive())
        self.close(program)

    def test_a_process_that_dies_leaves_what_was_seen(self):
        victim, program = self.attach()
        victim.tell('p')
        waiting = victim.post()
        depth = program.number('label', 'Queue depth: ')
        wait_until('it is shown', lambda: depth() == waiting)
        victim.kill()
        program.find('label', f'Process {victim.pid} has ended')
        program.find('label', 'State: has ended')
        self.assertEqual(depth(), waiting)
        screen.take_picture('attach-ended.png')
        program.act(program.find('push button', 'Back to this process'), 'click')
        files = program.number('label', 'Files indexed: ')
        wait_until('the own numbers are back', lambda: files() is not None and depth() != waiting)
        self.close(program)

    def test_is_chosen_from_the_list_with_the_keyboard(self):
        victim = Victim()
        self.addCleanup(victim.kill)
        program = Program(DASHBOARD, '--folder', '/usr/share/doc')
        self.addCleanup(program.end)
        program.find('label', 'Files indexed: ')

        def choose():
            program.press('alt+w')
            program.find('list item', f'bus-victim, {victim.pid}')
            screen.take_picture('attach-menu.png')
            program.press('Return')
            return any(node.get_name() == f'Process: {victim.pid}' for node in walk(program.node))

        wait_until('it is chosen', choose)
        program.find('label', 'State: answers')
        program.find('label', 'Watching bus-victim, org.cothread.Monitor.p' + victim.pid)
        self.close(program)
        self.assertTrue(victim.is_alive())

    def test_leaves_no_file_behind(self):
        with tempfile.TemporaryDirectory() as home:
            victim = Victim()
            self.addCleanup(victim.kill)
            before = dict(os.environ)
            self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))
            for name, folder in (('HOME', ''), ('XDG_CONFIG_HOME', 'config'), ('XDG_DATA_HOME', 'data'), ('XDG_STATE_HOME', 'state'),
                                 ('XDG_CACHE_HOME', 'cache')):
                os.environ[name] = os.path.join(home, folder)
            program = Program(DASHBOARD, '--folder', '/usr/share/doc', '--attach', victim.pid)
            self.addCleanup(program.end)
            program.find('label', 'State: answers')
            program.act(program.find('push button', 'Dark'), 'click')
            self.close(program)
            # The fonts' and the display's caches are not the dashboard's.
            left = [os.path.join(folder, name) for folder, _, names in os.walk(home) for name in names
                    if not folder.startswith(os.path.join(home, 'cache'))]
            self.assertEqual(left, [])

    def test_one_that_is_not_there_is_said_not_to_be(self):
        program = Program(DASHBOARD, '--folder', '/usr/share/doc', '--attach', '999999999')
        self.addCleanup(program.end)
        program.find('label', 'Process 999999999 cannot be watched: it has to run with COTHREAD_MONITOR=1')
        self.close(program)

    def test_closes_while_the_other_hangs(self):
        victim, program = self.attach()
        victim.tell('h')
        self.close(program)
        self.assertTrue(victim.is_alive())

    def test_without_a_session_bus_it_says_so(self):
        address = os.environ['DBUS_SESSION_BUS_ADDRESS']
        nowhere = dict(os.environ, DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent/bus', GTK_A11Y='none')
        self.assertNotEqual(address, nowhere['DBUS_SESSION_BUS_ADDRESS'])
        # Without that bus there is no accessibility either: it is read from what it prints.
        result = subprocess.run([DASHBOARD, '--folder', '/usr/share/doc', '--attach', '1', '--seconds', '2'], env=nowhere,
                                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertIn('cothread-dashboard: There is no session bus: ', result.stderr)
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(__file__))
    GLib.set_prgname('test-attach')
    unittest.main(verbosity=2)
