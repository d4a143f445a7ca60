// SPDX-License-Identifier: LGPL-2.1-or-later
// Tasks of C, Python and JavaScript in one thread of one process: this one.

const {inTask, eventually, Cothread, expectError, programs} = imports.tasks;
const {Gio, GLib, LanguagesTest: Others} = imports.gi;

const event = name => Others.get_event(name);
const tasksNamed = name => Cothread.Scheduler.get_default().list_tasks().filter(task => task.get_name().startsWith(name));

Others.run_python(`
import gi
gi.require_version('Cothread', '1.0')
gi.require_version('LanguagesTest', '1.0')
from gi.repository import Cothread, GLib, Gio, LanguagesTest

event = LanguagesTest.get_event

@Cothread.task
def relay(source, target, n):
    for i in range(n):
        event(source).wait(-1)
        event(target).signal()

@Cothread.task
def sleeper(seconds, failure=None):
    Cothread.sleep(seconds)
    if failure is not None:
        raise failure

@Cothread.task
def joiner(name, done):
    try:
        Cothread.join(find(name))
    except GLib.Error as error:
        event(done).signal_error(error)
    else:
        event(done).signal()

def find(name):
    return next(info.id for info in Cothread.Scheduler.get_default().list_task_infos(0) if info.name.startswith(name))
`);

describe('one event', function () {
    it('goes round C, Python and JavaScript a thousand times', inTask(function* () {
        const n = 1000;
        Others.spawn_relay('to C', 'to Python', n);
        Others.run_python(`relay('to Python', 'to JavaScript', ${n})`);
        for (let i = 0; i < n; i++) {
            event('to C').signal();
            yield event('to JavaScript').wait(60000);
        }
        expect(event('to JavaScript').is_signalled()).toBe(false);
    }));

    it('goes round with an async function too', inTask(function* () {
        const n = 100;
        Others.run_python(`relay('a', 'b', ${n})`);
        Others.spawn_relay('b', 'c', n);
        yield Cothread.spawn(async () => {
            for (let i = 0; i < n; i++) {
                event('a').signal();
                await event('c').wait(60000);
            }
        });
    }));

    it('that another language signals brings no value of an earlier signal', inTask(function* () {
        event('value').signal('of JavaScript');
        expect(yield event('value').wait()).toBe('of JavaScript');
        event('value').signal('taken in C');
        Others.spawn_relay('value', 'taken', 1);
        yield event('taken').wait(60000);
        Others.spawn_relay('go', 'value', 1);
        event('go').signal();
        expect(yield event('value').wait(60000)).toBe(undefined);
        event('value').signal('old');
        Others.run_python("event('value').signal()");
        expect(yield event('value').wait(60000)).toBe(undefined);
    }));

    it('wakes waiters of all languages in the order in which they began', inTask(function* () {
        const order = [];
        for (let i = 0; i < 9; i++) {
            const note = `note ${i}`;
            if (i % 3 === 0) {
                Others.spawn_relay('line', note, 1);
            } else if (i % 3 === 1) {
                Others.run_python(`relay('line', '${note}', 1)`);
            } else {
                Cothread.spawn(function* () {
                    yield event('line').wait();
                    event(note).signal();
                });
            }
            Cothread.spawn(function* () {
                yield event(note).wait();
                order.push(i);
            });
            yield Cothread.sleep(1);
        }
        for (let i = 0; i < 9; i++) {
            event('line').signal();
            yield* eventually(() => order.length === i + 1);
        }
        expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }));

    it('cancelled in one language leaves the signal to another', inTask(function* () {
        const waiter = Cothread.spawn(function* () {
            yield event('shared').wait();
        });
        yield Cothread.sleep(1);
        Others.run_python("relay('shared', 'Python has it', 1)");
        yield* eventually(() => tasksNamed('relay (').length === 1);
        yield Cothread.sleep(1);
        event('shared').signal();
        waiter.cancel();
        yield event('Python has it').wait(60000);
        yield* expectError(waiter);
    }));
});

describe('a join', function () {
    it('from JavaScript ends with a task of C, and of Python', inTask(function* () {
        yield Others.spawn_sleeper(5, null);
        const error = yield* expectError(Others.spawn_sleeper(5, 'failed in C'));
        expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.BUSY)).toBe(true);
        expect(error.message).toBe('failed in C');
        Others.run_python('sleeper(0.005)');
        const [python] = tasksNamed('sleeper (');
        yield python.join(60000);
        expect(python.is_finished()).toBe(true);
        expect(yield Cothread.spawn(async () => {
            await Others.spawn_sleeper(5, null).join();
            return 'awaited';
        })).toBe('awaited');
    }));

    it('from JavaScript and from C fails as a task of Python did', inTask(function* () {
        Others.run_python("sleeper(0.005, ValueError('not so'))");
        let error = yield* expectError(tasksNamed('sleeper (')[0].join(60000));
        expect(error.message).toContain('ValueError: not so');
        Others.run_python("sleeper(0.005, GLib.Error('taken', 'g-io-error-quark', 2))");
        error = yield* expectError(tasksNamed('sleeper (')[0].join(60000));
        expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.EXISTS)).toBe(true);
        expect(error.message).toBe('taken');
        Others.run_python("sleeper(0.005, ValueError('not so'))");
        Others.spawn_joiner(tasksNamed('sleeper (')[0], 'failed');
        error = yield* expectError(event('failed').wait(60000));
        expect(error.message).toContain('ValueError: not so');
    }));

    it('from C and from Python ends with a task of JavaScript', inTask(function* () {
        for (const language of ['C', 'Python']) {
            const join = (task, done) => language === 'C'
                ? Others.spawn_joiner(task.handle, done)
                : Others.run_python(`joiner('joined', '${done}')`);
            const task = Cothread.spawn(function* joined() {
                yield Cothread.sleep(5);
            });
            join(task, 'joined');
            yield event('joined').wait(60000);
            expect(task.finished).toBe(true);
            const failing = Cothread.spawn(function* joined() {
                yield Cothread.sleep(5);
                throw new RangeError('too far');
            });
            join(failing, 'joined');
            const error = yield* expectError(event('joined').wait(60000));
            expect(error instanceof GLib.Error).toBe(true);
            expect(error.message).toContain('too far');
            yield* expectError(failing);
        }
    }));

    it('ends with the cancellation of the other, whoever cancels', inTask(function* () {
        const isCancelled = error => error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
        const c = Others.spawn_sleeper(1000000, null);
        yield Cothread.sleep(1);
        c.cancel();
        expect(isCancelled(yield* expectError(c))).toBe(true);
        const task = Cothread.spawn(function* joined() {
            yield Cothread.sleep(1e6);
        });
        Others.spawn_joiner(task.handle, 'cancelled');
        yield Cothread.sleep(1);
        Others.run_python("Cothread.cancel(find('joined'))");
        expect(isCancelled(yield* expectError(event('cancelled').wait(60000)))).toBe(true);
        expect(isCancelled(yield* expectError(task))).toBe(true);
    }));
});

describe('statistics', function () {
    it('list tasks of all languages, with function and place', inTask(function* () {
        const before = Cothread.Scheduler.get_default().get_statistics();
        const c = Others.spawn_sleeper(1000000, null);
        Others.run_python('sleeper(1000)');
        const task = Cothread.spawn(function* sleepingHere() {
            yield Cothread.sleep(1e6);
        });
        yield Cothread.sleep(1);
        const infos = Cothread.Scheduler.get_default().list_task_infos(0);
        const find = name => infos.find(info => info.name.startsWith(name));
        expect(find('sleeper in C').language).toBe('C');
        expect(find('sleeper (').language).toBe('Python');
        expect(find('sleepingHere').language).toBe('JavaScript');
        expect(find('sleepingHere').spawn_site).toMatch(/^testLanguages\.js:\d+$|^tasks\.js:\d+$/);
        expect(find('sleepingHere').wait_reason).toBe('sleep');
        const after = Cothread.Scheduler.get_default().get_statistics();
        expect(after.tasks - before.tasks).toBe(3);
        const [python] = tasksNamed('sleeper (');
        for (const sleeper of [c, python, task])
            sleeper.cancel();
        yield* expectError(python.join(60000));
        yield* expectError(c);
        yield* expectError(task);
        expect(Cothread.Scheduler.get_default().get_statistics().tasks).toBe(before.tasks);
    }));
});

describe('a task of C', function () {
    it('calls a JavaScript function on the thread\'s own stack', inTask(function* () {
        let called = 0;
        Others.spawn_caller(() => {
            called++;
            return true;
        }, 'called');
        yield event('called').wait(60000);
        expect(called).toBe(1);
    }));

    it('gets what that throws as a GError', inTask(function* () {
        Others.spawn_caller(() => {
            throw new RangeError('thrown in JavaScript');
        }, 'thrown');
        // In C a GError, which signalled the event; GJS makes of it what it was.
        const error = yield* expectError(event('thrown').wait(60000));
        expect(error instanceof RangeError).toBe(true);
        expect(error.message).toContain('thrown in JavaScript');
        Others.spawn_caller(() => {
            throw new GLib.Error(Gio.io_error_quark(), Gio.IOErrorEnum.BUSY, 'a GError');
        }, 'thrown');
        const other = yield* expectError(event('thrown').wait(60000));
        expect(other.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.BUSY)).toBe(true);
    }));

    it('gets the refusal of a wait in there', inTask(function* () {
        Others.spawn_caller(() => Cothread.Event.new(true).wait_sync(-1), 'refused');
        const error = yield* expectError(event('refused').wait(60000));
        expect(error.matches(Cothread.Error, Cothread.Error.WRONG_CONTEXT)).toBe(true);
    }));

    it('may be cancelled from there, and JavaScript tasks spawned, woken and cancelled', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const cancelled = Cothread.spawn(function* () {
            yield Cothread.sleep(1e6);
        });
        yield Cothread.sleep(1);
        Others.spawn_caller(() => {
            Cothread.spawn(function* () {
                yield Cothread.sleep(1);
                queue.signal('spawned there');
            });
            cancelled.cancel();
            tasksNamed('caller in C')[0].cancel();
            return true;
        }, 'did');
        expect(yield queue.wait(60000)).toBe('spawned there');
        yield* expectError(cancelled);
        yield event('did').wait(60000);
    }));

    it('that emits a signal there has the JavaScript handler run', inTask(function* () {
        let emitted = 0;
        const object = new Gio.SimpleAction({name: 'action'});
        object.connect('notify::enabled', () => emitted++);
        Others.spawn_emitter(object, 'notify::enabled', true, 'emitted');
        yield event('emitted').wait(60000);
        expect(emitted).toBe(1);
    }));

    it('that cancels a cancellable has its JavaScript handlers run, wherever it does so', inTask(function* () {
        const task = Others.spawn_sleeper(1000000, null);
        let told = 0;
        task.get_cancellable().connect(() => told++);
        Others.spawn_canceller(task, 'told');
        yield event('told').wait(60000);
        expect(told).toBe(1);
        yield* expectError(task);
    }));
});

describe('COTHREAD_DEBUG=signals', function () {
    const program = where => `
        imports.gi.versions.Cothread = '1.0';
        const {Cothread, Gio, GLib, LanguagesTest} = imports.gi;
        const loop = new GLib.MainLoop(null, false);
        const object = new Gio.SimpleAction({name: 'action'});
        object.connect('notify::enabled', () => print('handled'));
        LanguagesTest.spawn_emitter(object, 'notify::enabled', ${where}, 'emitted');
        Cothread.spawn(function* () {
            yield LanguagesTest.get_event('emitted').wait();
            loop.quit();
        });
        loop.run();
        `;

    it('has the library warn of a signal with JavaScript handlers that a task emits on its own stack', function () {
        const {stderr} = programs.runWith({COTHREAD_DEBUG: 'signals'}, program('false'));
        expect(stderr).toContain('Task emitter in C emits GSimpleAction::notify on its own stack, where the handler in JavaScript');
    });

    it('is silent where the handler runs', function () {
        const {stdout, stderr} = programs.runWith({COTHREAD_DEBUG: 'signals'}, program('true'));
        expect(stdout).toBe('handled\n');
        expect(stderr).toBe('');
    });

    it('has to be asked for', function () {
        expect(programs.runWith({}, program('false')).stderr).not.toContain('cannot run');
    });
});
