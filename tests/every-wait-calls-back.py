#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public function that suspends its caller has an _async form.

Reads the C sources and follows who calls whom, to the functions of the core that
suspend; prints each public function that gets there and has neither
an _async form nor a reason in the table below.

    every-wait-calls-back.py [ROOT]
    every-wait-calls-back.py --self-test
"""
import pathlib
import re
import sys
import tempfile

# With the macros that stand for a wait.
SUSPENDING = {'ct_scheduler_wait', 'ct_scheduler_yield', 'ct_scheduler_yield_until', 'cothread_await', 'cothread_await_for'}

YIELDING = 'lets other tasks run; whoever has no task does so by returning'
TRIES_FIRST = 'tries, and waits where it has to: cothread_wait_fd_async(), and the call of the system'
OF_GIO = 'is an operation of GIO, which has its own _async function'
WITHOUT = {
    'cothread_yield': YIELDING,
    'cothread_yield_for': YIELDING,
    'cothread_checkpoint': YIELDING,
    'cothread_sleep_until': 'cothread_sleep_async() until then',
    'cothread_sleep_precisely': 'cothread_sleep_async(); the precision is that of a task',
    'cothread_sleep_precisely_until': 'cothread_sleep_async() until then',
    'cothread_task_join': 'cothread_join_async(): tasks are no objects',
    'cothread_event_wait_value': 'cothread_event_wait_async() and cothread_event_wait_value_finish()',
    'cothread_read': TRIES_FIRST,
    'cothread_readv': TRIES_FIRST,
    'cothread_write': TRIES_FIRST,
    'cothread_writev': TRIES_FIRST,
    'cothread_write_all': TRIES_FIRST,
    'cothread_accept': TRIES_FIRST,
    'cothread_connect': TRIES_FIRST,
    'cothread_wait_fd_again': 'cothread_wait_fd_async()',
    'cothread_poll_list': 'cothread_wait_any_async(), of descriptors',
    'cothread_descriptor_read': TRIES_FIRST,
    'cothread_descriptor_readv': TRIES_FIRST,
    'cothread_descriptor_write': TRIES_FIRST,
    'cothread_descriptor_writev': TRIES_FIRST,
    'cothread_descriptor_write_all': TRIES_FIRST,
    'cothread_await_begin': 'is what turns an _async function into a wait',
    'cothread_await_end': 'is what turns an _async function into a wait',
    'cothread_load_file': OF_GIO,
    'cothread_save_file': OF_GIO,
    'cothread_list_folder': OF_GIO,
    'cothread_resolve': OF_GIO,
    'cothread_connect_to_host': OF_GIO,
    'cothread_accept_connection': OF_GIO,
    'cothread_run': OF_GIO,
    'cothread_call_dbus': OF_GIO,
    'cothread_stream_read': OF_GIO,
    'cothread_stream_read_all': OF_GIO,
    'cothread_stream_read_line': OF_GIO,
    'cothread_stream_write_all': OF_GIO,
    'cothread_stream_close': OF_GIO,
    'cothread_run_in_thread': 'g_task_run_in_thread()',
    'cothread_run_in_thread_full': 'g_task_run_in_thread()',
    'cothread_thread_stream_send': 'is called by the thread of the stream',
    'cothread_callback_queue_post': 'fails where there is no room, outside tasks; see the overflow policies',
    'cothread_callback_queue_post_full': 'as cothread_callback_queue_post()',
    'cothread_callback_queue_post_coalesced': 'as cothread_callback_queue_post()',
    'cothread_callback_queue_post_coalesced_full': 'as cothread_callback_queue_post()',
    'cothread_scope_free': 'cothread_scope_leave_async() first; then there is nothing to wait for',
}
# Asking another process, over D-Bus: for tasks of a program that watches.
# cothread_spawn_task_for() makes an _async function of such a task.
REMOTE = 'cothread_remote_'

COMMENTS_AND_STRINGS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
DEFINITION = re.compile(r'^(static\b[^\n;{}]*\n)?(\w+) \(((?:[^;{}()]|\([^;{}()]*\))*)\)\n\{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
STATIC_LINE = re.compile(r'^static\b', re.MULTILINE)
CALL = re.compile(r'\b([a-z_]\w*) \(')
PUBLIC = re.compile(r'COTHREAD_AVAILABLE_IN_0_1\s+[^;{}]*?\b(cothread_\w+)\s*\(')


def read_functions(folder):
    """{(file or '', name): names that it calls}; static ones have a file."""
    functions = {}
    for path in sorted(folder.rglob('*.[ch]')):
        text = COMMENTS_AND_STRINGS.sub(' ', path.read_text())
        for found in DEFINITION.finditer(text):
            before = text[:found.start(2)].rsplit('\n\n', 1)[-1]
            is_static = STATIC_LINE.search(before) is not None and path.suffix == '.c'
            functions[(str(path) if is_static else '', found[2])] = (str(path), set(CALL.findall(found[4])))
    return functions


def find_suspending(functions):
    """The names of those without `static` that get to where tasks suspend."""
    reaching = {('', name) for name in SUSPENDING}
    grows = True
    while grows:
        grows = False
        for key, (path, calls) in functions.items():
            if key in reaching:
                continue
            for name in calls:
                callee = (path, name) if (path, name) in functions else ('', name)
                if callee in reaching:
                    reaching.add(key)
                    grows = True
                    break
    return {name for path, name in reaching if path == ''}


def check(root):
    library = root / 'cothread-glib'
    public = set()
    for header in library.rglob('cothread-*.h'):
        if not header.name.endswith('-private.h'):
            public |= set(PUBLIC.findall(header.read_text()))
    # What an _async form shares with its wait is told there not to wait.
    waits = {name for name in public & find_suspending(read_functions(library)) if not name.endswith('_async')}
    problems = []
    for name in sorted(waits):
        if f'{name}_async' not in public and name not in WITHOUT and not name.startswith(REMOTE):
            problems.append(f'{name}() suspends, and has no _async form')
    for name in sorted(public):
        if name.endswith('_async') and name.removesuffix('_async') + '_finish' not in public:
            problems.append(f'{name}() has no _finish')
    return waits, problems


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / 'cothread-glib').mkdir()
        (root / 'cothread-glib/cothread-x.h').write_text(
            'COTHREAD_AVAILABLE_IN_0_1\nvoid cothread_x_wait (void);\nCOTHREAD_AVAILABLE_IN_0_1\nvoid cothread_y_async (void);\n'
            'COTHREAD_AVAILABLE_IN_0_1\nvoid cothread_x_look (void);\n')
        (root / 'cothread-glib/cothread-x.c').write_text(
            'static int\nhelp (void)\n{\n  return ct_scheduler_wait ();\n}\n\nvoid\ncothread_x_wait (void)\n{\n  help ();\n}\n\n'
            'void\ncothread_x_look (void)\n{\n  look ();\n}\n')
        waits, problems = check(root)
    expected = ['cothread_x_wait() suspends, and has no _async form', 'cothread_y_async() has no _finish']
    if waits != {'cothread_x_wait'} or problems != expected:
        print(waits, problems)
        return 1
    return 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    waits, problems = check(root)
    for problem in problems:
        print(problem)
    print(f'{len(waits)} functions suspend, {len(waits & set(WITHOUT))} of them have no _async form for a reason')
    # Without these it would be this program that is wrong.
    known = {'cothread_sleep', 'cothread_event_wait', 'cothread_wait_any', 'cothread_lock_acquire', *WITHOUT}
    for name in sorted(known - waits):
        print(f'{name}() does not suspend, as far as can be seen')
    return 1 if problems or not known <= waits else 0


if __name__ == '__main__':
    sys.exit(main())
