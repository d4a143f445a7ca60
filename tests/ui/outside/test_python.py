# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program in Python shows the dashboard attached to itself."""

import os
import sys
import unittest

import screen
from accessible import Atspi, Program, Started, wait_until, walk
from gi.repository import GLib

DEMO = os.environ['COTHREAD_DEMO']
PATHS = {name.removeprefix('DEMO_'): value for name, value in os.environ.items() if name.startswith('DEMO_')}


class PythonTest(unittest.TestCase):
    def start(self, *arguments):
        demo = Program(sys.executable, DEMO, *arguments, environment={**os.environ, **PATHS})
        self.addCleanup(demo.end)
        return demo

    def rows(self, dashboard):
        return next(node for node in walk(dashboard.find('tree table', 'Tasks')) if node.get_role_name() == 'list')

    def test_the_dashboard_shows_where_a_download_stands(self):
        demo = self.start('--pause', '0.5')
        for button in [node for node in walk(demo.node) if node.get_role_name() == 'push button' and node.get_name() == 'Download']:
            demo.act(button, 'click')
        demo.act(demo.find('push button', 'Watch in the dashboard'), 'click')
        dashboard = Started('cothread-dashboard')
        dashboard.find('label', f'Process: {demo.process.pid}')
        dashboard.find('label', 'State: answers')
        entry = dashboard.find('entry', 'Filter the tasks')
        Atspi.EditableText.set_text_contents(entry, '_download')
        wait_until('four are left', lambda: any((node.get_name() or '').startswith('4 of ') for node in walk(dashboard.node)))
        Atspi.Selection.select_child(self.rows(dashboard), 0)
        dashboard.find('label', 'Name: Row._download (downloads.py:')
        dashboard.find('label', 'Language: Python')
        wait_until('where it stands', lambda: 'in fetch' in dashboard.find('label', 'Stands in: ').get_name())
        screen.take_picture('python-tasks.png')
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
    GLib.set_prgname('test-python')
    unittest.main(verbosity=2)
