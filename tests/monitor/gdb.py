#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gdb.py PROGRAM SCRIPT: runs the gdb commands on a live process and on a core.

Exit status 77 (skipped) where gdb may not trace or is not there.
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = ['info cothreads', 'cothread 1 bt', 'cothread 2 bt', 'cothread 3 bt', 'cothread all bt', 'info threads']


def gdb(*arguments):
    command = ['gdb', '--batch', '-nx', '-iex', 'set auto-load safe-path /', '-iex', 'set debuginfod enabled off', *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def with_commands(script=None):
    arguments = ['-ex', f'source {script}'] if script is not None else []
    for command in COMMANDS:
        arguments += ['-ex', f'echo [[{command}]]\\n', '-ex', command]
    return arguments


def check(output, where):
    failures = []

    def expect(pattern, what):
        if not re.search(pattern, output, re.MULTILINE | re.DOTALL):
            failures.append(f'{where}: {what} is missing')

    expect(r'^Scheduler 1 .*: 3 tasks', 'the scheduler')
    expect(r'^  1 +waiting +sleep +sleeper  \[.*gdb-victim.c:\d+\]', 'the sleeper with its spawn site')
    expect(r'^  2 +waiting +task 1 \(sleeper\) +joiner', 'the joiner with what it waits for')
    expect(r'^\* 3 +running +stopper', 'the running one')
    expect(r'\[\[cothread 1 bt\]\].*cothread_sleep.*wait_deep_inside.*sleeper.*native_task_entry.*ct_context_start.*\[\[cothread 2',
           'the backtrace of the sleeper')
    expect(r'\[\[cothread 2 bt\]\].*cothread_task_join.*joiner.*native_task_entry.*\[\[cothread 3', 'the backtrace of the joiner')
    expect(r'\[\[cothread 3 bt\]\].*runs: its frames are those of its thread', 'the one that has no saved frames')
    expect(r'\[\[info threads\]\]', 'the end')
    if failures:
        print(output)
    return failures


def test_live(program, script):
    result = gdb('-ex', 'break stop_here', '-ex', 'run', *with_commands(script), '-ex', 'kill', program)
    if 'ptrace: Operation not permitted' in result.stderr + result.stdout or 'Could not trace' in result.stderr:
        return None
    return check(result.stdout + result.stderr, 'live')


def test_auto_loaded(program):
    """The script lies beside the library, under its name: gdb finds it by itself."""
    result = gdb('-ex', 'break stop_here', '-ex', 'run', *with_commands(), '-ex', 'kill', program)
    return check(result.stdout + result.stderr, 'auto-loaded')


def test_core(program, script):
    with tempfile.TemporaryDirectory() as folder:
        # The system's own: gdb's generate-core-file gives up a mapping at the
        # first guard page in it.
        subprocess.run([Path(program).resolve(), '--abort'], cwd=folder, capture_output=True, timeout=120,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
        cores = [path for path in Path(folder).iterdir() if path.name.startswith('core')]
        if not cores:
            print('the system leaves no cores here (kernel.core_pattern, ulimit -c): not tested')
            return []
        result = gdb(*with_commands(script), program, str(cores[0]))
        return check(result.stdout + result.stderr, 'core')


def main():
    program, script = sys.argv[1:]
    if shutil.which('gdb') is None:
        print('no gdb here')
        return 77
    failures = test_live(program, script)
    if failures is None:
        print('gdb may not trace here')
        return 77
    failures += test_auto_loaded(program)
    failures += test_core(program, script)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
