#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bus.py VICTIM TOP: watches processes through a private session bus.

Exit status 77 (skipped) without a dbus-daemon.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60


# Session buses let in nobody but their user; this one everybody.
FOR_EVERYBODY = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={folder}/bus</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
"""
NOBODY = 65534


class Bus:
    def __init__(self, for_everybody=False):
        self.folder = None
        self.config = ['--session']
        if for_everybody:
            self.folder = tempfile.TemporaryDirectory()
            os.chmod(self.folder.name, 0o755)
            with open(os.path.join(self.folder.name, 'config'), 'w', encoding='utf-8') as file:
                file.write(FOR_EVERYBODY.format(folder=self.folder.name))
            self.config = ['--config-file', file.name]

    def __enter__(self):
        self.daemon = subprocess.Popen(['dbus-daemon', *self.config, '--nofork', '--print-address'],
                                       stdout=subprocess.PIPE, text=True)
        self.address = self.daemon.stdout.readline().strip()
        return self

    def __exit__(self, *unused):
        self.daemon.kill()
        self.daemon.wait()
        self.daemon.stdout.close()
        if self.folder is not None:
            self.folder.cleanup()

    def environment(self, **more):
        return dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.address, LC_ALL='C.UTF-8', **more)


class Victim:
    def __init__(self, program, environment):
        self.process = subprocess.Popen([program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == 'ready\n'

    def is_alive(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return self.process.stdout.readline() == 'alive\n'

    def end(self):
        output, errors = self.process.communicate(timeout=PATIENCE_S)
        assert output == 'ended\n', (output, errors)
        assert self.process.returncode == 0, errors
        return errors

    def kill(self):
        self.process.kill()
        self.process.communicate()


def top(program, environment, *arguments):
    result = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    return result.returncode, result.stdout, result.stderr


def until(condition):
    """The name appears on the bus a moment after the process has begun."""
    end = time.monotonic() + PATIENCE_S
    while True:
        result = condition()
        if result[0] == 0 or time.monotonic() > end:
            return result
        time.sleep(0.05)


def test_a_process_shows_its_tasks(victim, program):
    with Bus() as bus:
        watched = Victim(victim, bus.environment(COTHREAD_MONITOR='1'))
        status, output, errors = until(lambda: top(program, bus.environment(), '--once', str(watched.process.pid)))
        assert status == 0, errors
        assert 'tasks: 6 (' in output, output  # five and the queue's own
        assert output.count(' sleeper ') == 3, output
        assert ' ticker ' in output and 'queue default: 0 of 100000' in output, output
        assert '\033' not in output and 'bad\ufffd[2J\ufffdname' in output, output
        status, output, errors = top(program, bus.environment(COTHREAD_MONITOR='1'), '--once')
        assert status == 0 and ' ticker ' in output, errors  # the only one there is, but itself
        status, output, errors = top(program, bus.environment(), '--dump', str(watched.process.pid))
        assert status == 0 and '"sleeper" (C): waiting for sleep' in output, output + errors
        assert '\033' not in output and '"bad?[2J\ufffdname"' in output, output
        assert watched.is_alive()
        watched.end()


def test_one_that_did_not_opt_in_is_not_found(victim, program):
    with Bus() as bus:
        private = Victim(victim, bus.environment())
        status, _, errors = top(program, bus.environment(), '--once', str(private.process.pid))
        assert status == 1 and 'COTHREAD_MONITOR=1' in errors, errors
        status, _, errors = top(program, bus.environment(), '--once')
        assert status == 1 and 'No process can be watched' in errors, errors
        private.end()


def test_of_several_one_is_named(victim, program):
    with Bus() as bus:
        both = [Victim(victim, bus.environment(COTHREAD_MONITOR='1')) for _ in range(2)]
        for each in both:
            status, _, errors = until(lambda: top(program, bus.environment(), '--once', str(each.process.pid)))
            assert status == 0, errors
        status, _, errors = top(program, bus.environment(), '--once')
        assert status == 1 and 'name one' in errors, errors
        status, output, _ = top(program, bus.environment(), '--list')
        assert status == 0 and all(str(each.process.pid) in output for each in both), output
        for each in both:
            each.end()


def test_one_that_dies_while_watched_is_said_to_have_ended(victim, program):
    with Bus() as bus:
        watched = Victim(victim, bus.environment(COTHREAD_MONITOR='1'))
        pid = str(watched.process.pid)
        until(lambda: top(program, bus.environment(), '--once', pid))
        watcher = subprocess.Popen([program, '--interval', '0.05', pid], env=bus.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert 'cothread-top: process' in watcher.stdout.readline()
        watched.kill()
        _, errors = watcher.communicate(timeout=PATIENCE_S)
        assert watcher.returncode == 1 and errors == f'cothread-top: Process {pid} has ended\n', errors


def test_a_watcher_that_dies_harms_nobody(victim, program):
    with Bus() as bus:
        watched = Victim(victim, bus.environment(COTHREAD_MONITOR='1'))
        pid = str(watched.process.pid)
        until(lambda: top(program, bus.environment(), '--once', pid))
        watcher = subprocess.Popen([program, '--interval', '0.05', pid], env=bus.environment(), stdout=subprocess.PIPE)
        watcher.stdout.readline()
        watcher.kill()
        watcher.communicate()
        assert watched.is_alive()
        assert watched.end() == ''


def test_without_a_session_bus_the_program_runs_all_the_same(victim, program):
    nowhere = dict(os.environ, DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent/bus')
    lonely = Victim(victim, dict(nowhere, COTHREAD_MONITOR='1'))
    assert lonely.is_alive()
    errors = lonely.end()
    assert errors.count('Nobody can watch this process, since there is no session bus') <= 1, errors
    status, _, errors = top(program, nowhere, '--once')
    assert status == 1 and errors.startswith('cothread-top: There is no session bus: '), errors


def ask(bus, process, method, *arguments, **as_whom):
    result = subprocess.run(['dbus-send', '--bus=' + bus.address, '--print-reply', f'--dest=org.cothread.Monitor.p{process}',
                             '/org/cothread/Monitor', 'org.cothread.Monitor1.' + method, *arguments],
                            capture_output=True, text=True, timeout=PATIENCE_S, cwd='/', **as_whom)
    return result.returncode, result.stdout, result.stderr


def test_another_user_is_refused(victim, program):
    if os.getuid() != 0:
        print('# only root can be another user')
        return
    with Bus(for_everybody=True) as bus:
        watched = Victim(victim, bus.environment(COTHREAD_MONITOR='1'))
        pid = watched.process.pid
        status, output, errors = until(lambda: ask(bus, pid, 'GetStatistics'))
        assert status == 0 and 'tasks' in output, errors
        for method, *arguments in (('GetStatistics',), ('GetTurns',), ('ListQueues',), ('ListTasks', 'uint32:0'), ('PackTasks', 'uint32:0'),
                                   ('GetBacktrace', 'uint64:1'), ('ListWarnings', 'uint64:0'),
                                   ('Dump', 'boolean:true', 'uint32:0')):
            status, output, errors = ask(bus, pid, method, *arguments, user=NOBODY, group=NOBODY, extra_groups=[])
            assert status != 0 and output == '', (method, output)
            assert 'AccessDenied' in errors and 'Only the user whose process this is' in errors, (method, errors)
        assert watched.is_alive()
        assert watched.end() == ''


def test_a_bus_that_dies_takes_nobody_along(victim, program):
    with Bus() as bus:
        watched = Victim(victim, bus.environment(COTHREAD_MONITOR='1'))
        until(lambda: top(program, bus.environment(), '--once'))
        bus.daemon.kill()
        bus.daemon.wait()
        time.sleep(0.2)
        assert watched.is_alive()
        watched.end()


def main():
    if shutil.which('dbus-daemon') is None:
        print('no dbus-daemon here')
        return 77
    failed = False
    for name, test in list(globals().items()):
        if name.startswith('test_'):
            try:
                test(*sys.argv[1:])
                print('ok', name)
            except AssertionError as error:
                failed = True
                print('not ok', name, error)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
