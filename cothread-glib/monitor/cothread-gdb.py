# SPDX-License-Identifier: LGPL-2.1-or-later
"""gdb commands for the tasks of cothread-glib; works on cores too.

    info cothreads          every live task of every scheduler
    cothread ID bt          the backtrace of a suspended task
    cothread all bt         ... of all of them
    cothread SCHEDULER.ID   where there are several schedulers

gdb loads this file by itself with the library; its debug information has to be
there. Without a process the registers cannot be set, so the backtrace is made
by an unwinder that calls the task's saved registers the caller of whatever is
the innermost frame.
"""

import gdb
import gdb.unwinder

STATES = ['ready', 'running', 'yielding', 'waiting', 'finished']
KINDS = ['native', 'stackless', 'main']

# The layout that the switch saves: (register, its place in pointers).
LAYOUTS = {
    'x86-64': {'pc': 'rip', 'sp': 'rsp', 'words': 0, 'pc_at': -1, 'saved': [('rbp', -2)]},
    'aarch64': {'pc': 'pc', 'sp': 'sp', 'words': 22, 'pc_at': 11,
                'saved': [(f'x{19 + i}', i) for i in range(11)]},
}


class NoLibrary(gdb.GdbError):
    pass


def type_of(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        raise NoLibrary('No debug information of cothread-glib: is the library loaded, and not stripped?')


def offset_of(type_, path):
    offset = 0
    for member in path.split('.'):
        field = next(f for f in type_.fields() if f.name == member)
        offset += field.bitpos // 8
        type_ = field.type.strip_typedefs()
    return offset


def schedulers():
    type_of('struct _CothreadScheduler')
    symbol = gdb.lookup_global_symbol('cothread_all_schedulers') or gdb.lookup_static_symbol('cothread_all_schedulers')
    if symbol is None:
        raise NoLibrary('cothread-glib is not loaded')
    at = symbol.value()
    found = []
    while int(at) != 0:
        found.append(at)
        at = at['next_of_all']
    return list(reversed(found))


def tasks_of(scheduler):
    core = scheduler['core']
    if int(core) == 0:
        return
    task_type = type_of('struct _CothreadTask')
    offset = offset_of(task_type, 'core.all')
    head = core['all'].address
    link = core['all']['next']
    while int(link) != int(head):
        address = int(link) - offset
        yield gdb.Value(address).cast(task_type.pointer())
        link = link['next']


def text(value):
    return value.string(errors='replace') if int(value) != 0 else None


def name_of(task):
    return text(task['name']) or text(task['function']) or 'task'


def enum_of(names, value):
    number = int(value)
    return names[number] if number < len(names) else str(number)


def describe_wait(task):
    core = task['core']
    if enum_of(STATES, core['state']) != 'waiting':
        return ''
    reason = text(core['wait_reason']) or 'something'
    wait_object = int(core['wait_object'])
    if reason == 'task' and wait_object != 0:
        other = gdb.Value(wait_object).cast(type_of('struct _CothreadTask').pointer())
        return f'task {int(other["core"]["id"])} ({name_of(other)})'
    if reason == 'descriptor':
        return f'descriptor {wait_object}'
    return f'{reason} {wait_object:#x}' if wait_object != 0 and reason not in ('sleep', 'yield') else reason


def layout():
    arch = gdb.selected_inferior().architecture().name()
    if arch == 'i386:x86-64':
        return LAYOUTS['x86-64']
    if arch.startswith('aarch64'):
        return LAYOUTS['aarch64']
    raise gdb.GdbError(f'cothread-glib: no backtraces on {arch}')


def saved_registers(task):
    """What the registers will be when the task goes on."""
    saved = task['core']['context']['saved']
    if int(saved) == 0:
        return None
    shape = layout()
    word = gdb.lookup_type('unsigned long')
    words = gdb.Value(int(saved)).cast(word.pointer())
    registers = {name: int(words[place]) for name, place in shape['saved']}
    registers[shape['pc']] = int(words[shape['pc_at']])
    registers[shape['sp']] = int(saved) + shape['words'] * 8
    return registers


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class CothreadUnwinder(gdb.unwinder.Unwinder):
    """Says that the task at hand has called the innermost frame."""

    def __init__(self):
        super().__init__('cothread')
        self.registers = None
        self.innermost = None

    def __call__(self, pending):
        if self.registers is None:
            return None
        shape = layout()
        pc, sp = pending.read_register(shape['pc']), pending.read_register(shape['sp'])
        if (int(pc), int(sp)) != self.innermost:
            return None
        # Below the task's stack, so that gdb finds the callers further up.
        below = gdb.Value(self.registers[shape['sp']] - 16).cast(sp.type)
        info = pending.create_unwind_info(FrameId(below, pc))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info

    def backtrace(self, registers):
        shape = layout()
        frame = gdb.newest_frame()
        self.innermost = (int(frame.read_register(shape['pc'])), int(frame.read_register(shape['sp'])))
        self.registers = registers
        gdb.invalidate_cached_frames()
        lines = []
        try:
            frame = gdb.newest_frame().older()
            while frame is not None and frame.is_valid():
                lines.append(describe_frame(len(lines), frame))
                frame = frame.older()
        except gdb.error as error:
            lines.append(f'    ({error})')
        finally:
            self.registers = None
            gdb.invalidate_cached_frames()
        return lines


def describe_frame(number, frame):
    where = ''
    sal = frame.find_sal()
    if sal.symtab is not None:
        where = f' at {sal.symtab.filename}:{sal.line}'
    else:
        library = gdb.solib_name(frame.pc())
        if library:
            where = f' from {library}'
    return f'#{number:<3} {frame.pc():#018x} in {frame.name() or "??"} (){where}'


unwinder = CothreadUnwinder()


def is_current(scheduler, task):
    return int(scheduler['core']['current']) == int(task)


def print_backtrace(scheduler, task):
    print(f'Task {int(task["core"]["id"])} "{name_of(task)}", {enum_of(STATES, task["core"]["state"])} {describe_wait(task)}'.rstrip())
    if enum_of(KINDS, task['core']['kind']) == 'stackless':
        print('    (has no stack)')
    elif is_current(scheduler, task):
        print('    (runs: its frames are those of its thread)')
    else:
        registers = saved_registers(task)
        for line in unwinder.backtrace(registers) if registers else ['    (has not begun)']:
            print(line)


class InfoCothreads(gdb.Command):
    """Lists the live tasks of cothread-glib."""

    def __init__(self):
        super().__init__('info cothreads', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        every = schedulers()
        for number, scheduler in enumerate(every, 1):
            tasks = list(tasks_of(scheduler))
            print(f'Scheduler {number} ({int(scheduler):#x}): {len(tasks)} tasks')
            for task in tasks:
                core = task['core']
                mark = '*' if is_current(scheduler, task) else ' '
                prefix = f'{number}.' if len(every) > 1 else ''
                site = text(task['site'])
                print(f'{mark} {prefix}{int(core["id"]):<6} {enum_of(STATES, core["state"]):<9}'
                      f' {describe_wait(task):<28} {name_of(task)}' + (f'  [{site}]' if site else ''))


class Cothread(gdb.Command):
    """cothread ID|SCHEDULER.ID|all bt: the backtrace of a suspended task."""

    def __init__(self):
        super().__init__('cothread', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        if len(words) != 2 or words[1] not in ('bt', 'backtrace', 'where'):
            raise gdb.GdbError('Usage: cothread ID bt')
        which, _, task_id = words[0].rpartition('.')
        found = False
        for number, scheduler in enumerate(schedulers(), 1):
            for task in tasks_of(scheduler):
                if words[0] == 'all' or (str(int(task['core']['id'])) == task_id and which in ('', str(number))):
                    print_backtrace(scheduler, task)
                    found = True
        if not found:
            raise gdb.GdbError(f'There is no task {words[0]}')


gdb.unwinder.register_unwinder(None, unwinder, replace=True)
InfoCothreads()
Cothread()
