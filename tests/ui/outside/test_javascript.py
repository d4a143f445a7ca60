# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in JavaScript shows the dashboard attached to itself."""

import os
import sys
import unittest

import screen
from accessible import Atspi, Program, Started, wait_until, walk
from gi.repository import GLib

DEMO = os.environ['COTHREAD_DEMO']
PATHS = {name.removeprefix('DEMO_'): value for name, value in os.environ.items() if name.startswith('DEMO_')}


class JavaScriptTest(unittest.TestCase):
    def start(self, *arguments):
        demo = Program('gjs', '-m', DEMO, *arguments, environment={**os.environ, **PATHS})
        self.addCleanup(demo.end)
        return demo

    def filter(self, dashboard, text, n):
        entry = dashboard.find('entry', 'Filter the tasks')
        Atspi.EditableText.set_text_contents(entry, text)
        wait_until(f'{n} are left', lambda: any((node.get_name() or '').startswith(f'{n} of ') for node in walk(dashboard.node)))

    def test_the_dashboard_lists_javascript_tasks_with_name_and_line_and_cancelled_ones_leave(self):
        demo = self.start()
        demo.act(demo.find('push button', 'Watch in the dashboard'), 'click')
        dashboard = Started('cothread-dashboard')
        dashboard.find('label', f'Process: {demo.process.pid}')
        dashboard.find('label', 'State: answers')
        self.filter(dashboard, 'row of', 8)
        rows = next(node for node in walk(dashboard.find('tree table', 'Tasks')) if node.get_role_name() == 'list')
        Atspi.Selection.select_child(rows, 0)
        dashboard.find('label', 'Language: JavaScript')
        wait_until('a name', lambda: dashboard.find('label', 'Name: row of ').get_name().endswith('ms'))
        wait_until('a line', lambda: 'list.js:' in dashboard.find('label', 'Spawned at: ').get_name())
        screen.take_picture('javascript-tasks.png')
        demo.act(next(node for node in walk(demo.node) if node.get_role_name() == 'push button' and node.get_name() == 'Cancel'), 'click')
        self.filter(dashboard, 'row of', 7)
        self.assertIsNone(demo.process.poll())
        dashboard.close()
        button = demo.find('push button', 'Watch in the dashboard')
        wait_until('it can be shown again', lambda: button.get_state_set().contains(Atspi.StateType.SENSITIVE))
        demo.close()
        self.assertEqual(demo.wait_for_end(), 0)

    def test_the_option_shows_it_at_once_and_it_stays_when_the_program_has_ended(self):
        demo = self.start('--dashboard')
        dashboard = Started('cothread-dashboard')
        dashboard.find('label', 'State: answers')
        demo.close()
        self.assertEqual(demo.wait_for_end(), 0)
        dashboard.find('label', f'Process {demo.process.pid} has ended')
        dashboard.close()


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(__file__))
    GLib.set_prgname('test-javascript')
    unittest.main(verbosity=2)
