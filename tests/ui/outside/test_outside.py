# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard, seen and used from outside."""

import json
import os
import sys
import tempfile
import unittest

import screen
from accessible import Atspi, Program, children, is_checked, wait_until, walk
from gi.repository import GLib

DASHBOARD = os.environ['COTHREAD_DASHBOARD']
BOUND = 5000
NEEDS_NAME = {'push button', 'check box', 'spin button', 'combo box', 'entry', 'image', 'tree table'}


class DashboardTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.report_path = os.path.join(self.folder.name, 'report.json')

    def start(self, *arguments):
        program = Program(DASHBOARD, '--folder', '/usr/share/doc', '--report', self.report_path, *arguments)
        self.addCleanup(program.end)
        return program

    def close(self, program):
        """The window goes, the program ends well, and its books balance."""
        program.close()
        self.assertEqual(program.wait_for_end(), 0)
        with open(self.report_path, encoding='utf-8') as file:
            return json.load(file)

    def test_starts_with_a_name_on_everything(self):
        program = self.start()
        program.find('label', 'Queue depth: ')
        nameless = []

        def look(node):
            if node.get_role_name() in NEEDS_NAME and not node.get_name():
                nameless.append(node.get_role_name())
            if node.get_role_name() != 'combo box':  # what is inside is GTK's own
                for child in children(node):
                    look(child)

        look(program.node)
        self.assertEqual(nameless, [])
        self.assertGreater(screen.take_picture('outside-start.png'), 10)
        self.close(program)

    def test_flood_depth_bound_and_drops(self):
        program = self.start()
        program.set_value('Bound', BOUND)
        program.set_value('Rate', 1000000)
        program.toggle('Flood')
        depth = program.number('label', 'Queue depth: ')
        dropped = program.number('label', 'Dropped: ')
        wait_until('the queue grows', lambda: depth() > 0)

        # Paused, the queue fills to its bound, and everybody says the same.
        pause = program.find('push button', 'Pause queue')
        program.act(pause, 'click')
        wait_until('it is full', lambda: depth() == BOUND)
        wait_until('the plot says so too',
                   lambda: f': {BOUND} waiting' in program.find('image', 'Callback queue over time').get_name())
        self.assertIn(f'bound {BOUND}', program.find('image', 'Callback queue over time').get_name())
        self.assertEqual(dropped(), 0)
        screen.take_picture('outside-full.png')

        # From the keyboard. The second policy is "Drop the oldest"; a list that opens late
        # misses the first keys, so that a second try is fair.
        combo = program.find('combo box', 'When full')

        def choose():
            program.press('alt+u', 'Home', 'Down', 'Return')
            return 'Drop the oldest' in {node.get_name() for node in walk(combo)}

        wait_until('the policy is chosen', choose)
        program.act(program.find('push button', 'Resume queue'), 'click')
        wait_until('drops are shown', lambda: dropped() > 0)
        screen.take_picture('outside-drops.png')
        shown = dropped()

        report = self.close(program)
        self.assertEqual(report['bound'], BOUND)
        self.assertGreaterEqual(report['dropped'], shown)
        self.assertGreaterEqual(report['high_water'], BOUND)

    def test_filters_the_tasks_and_opens_one(self):
        program = self.start()
        program.press('ctrl+f')
        count = wait_until('tasks are counted', lambda: next(
            (node for node in walk(program.node)
             if node.get_role_name() == 'label' and node.get_name().endswith(' tasks')), None))
        entry = program.find('entry', 'Filter the tasks')
        Atspi.EditableText.set_text_contents(entry, 'update the numbers')
        wait_until('one is left', lambda: count.get_name().startswith('1 of '))

        table = program.find('tree table', 'Tasks')
        rows = next(node for node in walk(table) if node.get_role_name() == 'list')
        Atspi.Selection.select_child(rows, 0)
        program.find('label', 'Name: update the numbers')
        program.find('label', 'History: +')
        screen.take_picture('outside-task.png')
        self.close(program)

    def test_closes_while_flooding(self):
        program = self.start('--flood', '1000000:5')
        depth = program.number('label', 'Queue depth: ')
        wait_until('the queue is deep', lambda: depth() > 1000)
        self.assertTrue(is_checked(program.find('check box', 'Flood')))
        report = self.close(program)
        self.assertGreater(report['callbacks_run'], 0)

    def test_turns_dark_and_light(self):
        program = self.start()
        program.find('label', 'Queue depth: ')
        light = screen.take_picture('outside-light.png')
        program.act(program.find('push button', 'Dark'), 'click')
        wait_until('the window is dark', lambda: mean_brightness() < 100)
        dark = screen.take_picture('outside-dark.png')
        self.assertGreater(min(light, dark), 10)
        self.close(program)


def mean_brightness():
    width, height, rows = screen.read_screen(os.environ['XVFB_SCREEN'])
    sample = b''.join(row[300:1800:7] for row in rows[100:700:11])
    return sum(sample) / len(sample)


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(__file__))
    GLib.set_prgname('test-outside')
    unittest.main(verbosity=2)
