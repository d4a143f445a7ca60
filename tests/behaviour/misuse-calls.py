#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a call of every public function of the given headers, as C.

    misuse-calls.py OUTPUT HEADER...

Each becomes a function that takes what is varied (no object, which time, which
number), with something harmless, most often nothing, for every other argument.
A function that is new in a header is in the table at once; of one that belongs to
a type that the table has no object of, the build says so and fails.
"""

import re
import sys

DECLARATION = re.compile(r'COTHREAD_AVAILABLE_IN_0_1\s+([^;{}]*?)\b(cothread_\w+)\s*\(([^;]*?)\)\s*(?:G_GNUC_[^;]*)?;', re.DOTALL)
OBJECTS = {
    'CothreadScheduler *': 'call->scheduler',
    'CothreadTask *': 'call->task',
    'CothreadEvent *': 'call->event',
    'CothreadEventQueue *': 'call->queue',
    'CothreadPulse *': 'call->pulse',
    'CothreadTimer *': 'call->timer',
    'CothreadLock *': 'call->lock',
    'CothreadSemaphore *': 'call->semaphore',
    'CothreadScope *': 'call->scope',
    'CothreadShield *': 'call->shield',
    'CothreadTestScheduler *': 'call->tester',
    'CothreadStacklessRunner *': 'call->runner',
    'CothreadHistogram *': 'call->histogram',
    'CothreadWaitItem *': 'call->items',
    'CothreadSelection *': 'call->selection',
    'CothreadCallbackQueue *': 'call->callbacks',
    'CothreadThreadedEventQueue *': 'call->threaded',
    'CothreadSignalSlot *': 'call->slot',
    'CothreadCallbackStatistics *': 'call->numbers',
    'const CothreadCallbackStatistics *': 'call->numbers',
    'CothreadSlowCallback *': 'call->slow',
    'const CothreadSlowCallback *': 'call->slow',
}
ARGUMENTS = {
    'GError **': '&call->error',
    'gpointer *': '&call->pointer',
    'gint64 *': '&call->integer',
    'guint *': '&call->which',
    'gboolean': 'TRUE',
    'guint': 'call->number',
    'guint64': 'call->number',
    'double': '0.5',
    'gint': '(gint) call->number',
    'gpointer': 'NULL',
    'const GError *': 'call->some_error',
    'gsize': 'call->number',
    'const char *': '"text"',
    'const CothreadTaskLocal *': '&call_local',
    'CothreadTaskFunc': 'call_task_func',
    'CothreadTimerFunc': 'call_timer_func',
    'CothreadThreadStackFunc': 'call_stack_func',
    'CothreadTimerFlags': 'COTHREAD_TIMER_DEFAULT',
    'CothreadCallbackFunc': 'call_callback_func',
    'CothreadSignalSlotFunc': 'call_slot_func',
    'GIOCondition': 'G_IO_IN',
}
# These want the number of things in an array that is not there.
ZERO = {'n_ready', 'n_fds'}
RELEASE = {
    'char *': 'g_free (result)',
    'CothreadTask *': 'g_clear_pointer (&result, cothread_task_unref)',
    'CothreadScope *': 'g_clear_pointer (&result, cothread_scope_free)',
    'CothreadShield *': 'g_clear_pointer (&result, cothread_shield_free)',
    'CothreadHistogram *': 'g_clear_pointer (&result, cothread_histogram_free)',
    'GBytes *': 'g_clear_pointer (&result, g_bytes_unref)',
    'GPtrArray *': 'g_clear_pointer (&result, g_ptr_array_unref)',
    'CothreadSignalSlot *': 'g_clear_pointer (&result, cothread_signal_slot_unref)',
    'CothreadCallbackStatistics *': 'g_clear_pointer (&result, cothread_callback_statistics_free)',
    'CothreadSlowCallback *': 'g_clear_pointer (&result, cothread_slow_callback_free)',
}
# They get, and the caller owns what they return.
OWNED = {'cothread_callback_queue_get_statistics', 'cothread_callback_statistics_get_time_in_queue',
         'cothread_callback_statistics_get_run_time'}
BORROWED = re.compile(r'_(get|peek|self|ensure)\b|_get_|_self$|_peek_')


def split(parameter):
    parameter = ' '.join(parameter.split())
    match = re.fullmatch(r'(.*?)(\w+)', parameter)
    kind = match[1].strip()
    return (kind[:-1].rstrip() + ' *' if kind.endswith('*') and not kind.endswith('**') else
            kind[:-2].rstrip() + ' **' if kind.endswith('**') else kind), match[2]


def argument(kind, parameter):
    if parameter == 'n_items':
        return '1'
    if kind == 'gint64':
        return 'call->time_us'
    if parameter in ZERO:
        return '0'
    if kind in OBJECTS:
        return OBJECTS[kind]
    if kind in ARGUMENTS:
        return ARGUMENTS[kind]
    return 'NULL' if kind.endswith('*') else f'({kind}) 0'


def write_call(out, rows, returns, name, parameters):
    split_parameters = [] if parameters.strip() in ('', 'void') else [split(p) for p in parameters.split(',')]
    first = split_parameters[0][0] if split_parameters else ''
    if re.fullmatch(r'Cothread\w+ \*', first) and first not in OBJECTS:
        sys.exit(f'misuse-calls.py: there is no {first}to call {name}() with; add one to OBJECTS and to test-misuse-every-call.c')
    arguments = [argument(kind, parameter) for kind, parameter in split_parameters]
    has_object = bool(split_parameters) and split_parameters[0][0] in OBJECTS
    if has_object:
        arguments[0] = f'call->has_object ? {arguments[0]} : NULL'
    times = [p for _, p in split_parameters if p == 'timeout_us']
    returns = ' '.join(returns.split())
    expression = f'{name} ({", ".join(arguments)})'
    out.write(f'static void\ncall_{name} (G_GNUC_UNUSED Call *call)\n{{\n')
    if returns in RELEASE and (name in OWNED or not BORROWED.search(name)):
        out.write(f'  {returns}result = {expression};\n\n  {RELEASE[returns]};\n')
    elif returns.startswith('Cothread') and returns.endswith('*') and not BORROWED.search(name) and not name.endswith('_ref'):
        out.write(f'  {returns}result = {expression};\n\n  g_clear_object (&result);\n')
    else:
        out.write(f'  {"" if returns == "void" else "(void) "}{expression};\n')
    out.write('}\n\n')
    rows.append(f'  {{ "{name}", call_{name}, {"TRUE" if has_object else "FALSE"}, {"TRUE" if times else "FALSE"} }},\n')


def main():
    rows = []
    with open(sys.argv[1], 'w') as out:
        out.write('/* Generated by misuse-calls.py. */\n\n')
        for path in [path for path in sys.argv[2:] if path.endswith('.h')]:
            with open(path) as header:
                text = header.read()
                found = DECLARATION.findall(text)
                if len(found) + text.count('\nG_DECLARE_') < text.count('\nCOTHREAD_AVAILABLE_IN_0_1'):
                    sys.exit(f'misuse-calls.py: {path} declares a function in a way that is not understood here')
                for returns, name, parameters in found:
                    if not name.endswith(('_get_type', '_quark')):
                        write_call(out, rows, returns, name, parameters)
        out.write('static const CallRow call_rows[] = {\n' + ''.join(rows) + '};\n')


if __name__ == '__main__':
    main()
