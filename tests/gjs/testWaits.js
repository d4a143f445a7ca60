// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, Cothread, expectError, runLoop} = imports.tasks;
const {Gio, GLib} = imports.gi;

const timedOut = error => error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);

describe('a wait', function () {
    it('sleeps no shorter than it was told', inTask(function* () {
        for (const ms of [0, 1, 2.5, 20]) {
            const before = GLib.get_monotonic_time();
            yield Cothread.sleep(ms);
            expect(GLib.get_monotonic_time() - before).not.toBeLessThan(ms * 1000);
        }
    }));

    it('wakes sleepers in the order of their deadlines', inTask(function* () {
        const seen = [];
        yield Cothread.all([300, 100, 200, 0].map(ms => Cothread.spawn(function* () {
            yield Cothread.sleep(ms);
            seen.push(ms);
        })));
        expect(seen).toEqual([0, 100, 200, 300]);
    }));

    it('lets others run while it yields', inTask(function* () {
        const seen = [];
        const other = Cothread.spawn(function* () {
            for (let i = 0; i < 3; i++) {
                seen.push('b');
                yield Cothread.yield();
            }
        });
        for (let i = 0; i < 3; i++) {
            seen.push('a');
            yield;
        }
        yield other;
        expect(seen.join('')).toBe('ababab');
    }));

    it('does not starve sleepers however many only yield', inTask(function* () {
        let stop = false;
        for (let i = 0; i < 50; i++) {
            Cothread.spawn(function* () {
                while (!stop)
                    yield;
            });
        }
        for (let i = 0; i < 20; i++)
            yield Cothread.sleep(i % 3);
        stop = true;
    }));

    it('does not starve GLib sources however many only yield', function () {
        let ticks = 0;
        GLib.timeout_add(GLib.PRIORITY_DEFAULT_IDLE, 1, () => ++ticks < 5);
        runLoop(function* () {
            while (ticks < 5)
                yield;
        });
        expect(ticks).toBe(5);
    });

    it('returns what the event was signalled with', inTask(function* () {
        const event = Cothread.Event.new(true);
        Cothread.spawn(function* () {
            yield Cothread.sleep(1);
            event.signal({answer: 42});
        });
        expect(yield event.wait()).toEqual({answer: 42});
        expect(event.is_signalled()).toBe(false);
    }));

    it('on an event with automatic reset is ended by one signal each, in order', inTask(function* () {
        const event = Cothread.Event.new(true);
        const seen = [];
        const tasks = [0, 1, 2].map(i => Cothread.spawn(function* () {
            yield event.wait();
            seen.push(i);
        }));
        yield Cothread.sleep(0);
        for (let i = 0; i < 3; i++) {
            event.signal();
            yield Cothread.sleep(0);
            yield Cothread.sleep(0);
            expect(seen.length).toBe(i + 1);
        }
        yield Cothread.all(tasks);
        expect(seen).toEqual([0, 1, 2]);
    }));

    it('on an event without it is ended until the reset', inTask(function* () {
        const event = Cothread.Event.new(false);
        const tasks = [0, 1, 2].map(() => Cothread.spawn(function* () {
            return yield event.wait();
        }));
        yield Cothread.sleep(0);
        event.signal('all');
        expect(yield Cothread.all(tasks)).toEqual(['all', 'all', 'all']);
        expect(yield event.wait()).toBe('all');
        event.reset();
        expect(timedOut(yield* expectError(event.wait(1)))).toBe(true);
    }));

    it('goes on waiting when somebody else took the signal', inTask(function* () {
        const event = Cothread.Event.new(true);
        const seen = [];
        const waiter = Cothread.spawn(function* () {
            seen.push(yield event.wait());
        });
        yield Cothread.sleep(0);
        event.signal('first');
        event.reset();
        yield Cothread.sleep(1);
        expect(seen).toEqual([]);
        event.signal('second');
        yield waiter;
        expect(seen).toEqual(['second']);
    }));

    it('fails with what the event was signalled with', inTask(function* () {
        const event = Cothread.Event.new(true);
        event.signal_error(new GLib.Error(Gio.io_error_quark(), Gio.IOErrorEnum.BUSY, 'busy'));
        const error = yield* expectError(event.wait());
        expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.BUSY)).toBe(true);
    }));

    it('times out', inTask(function* () {
        const event = Cothread.Event.new(true);
        const queue = new Cothread.EventQueue();
        const task = Cothread.spawn(function* () {
            yield Cothread.sleep(1e6);
        });
        for (const wait of [event.wait(2), queue.wait(2), task.join(2), Cothread.timeout(2, new Promise(() => {})),
            Cothread.timeout(2, Cothread.sleep(1e6)), Cothread.timeout(2, Cothread.all([task])), event.wait(0)])
            expect(timedOut(yield* expectError(wait))).toBe(true);
        expect(yield Cothread.timeout(1e6, Cothread.sleep(1))).toBe(undefined);
        // Nothing is left of those waits.
        event.signal(1);
        expect(event.is_signalled()).toBe(true);
        queue.signal('kept');
        expect(queue.length).toBe(1);
        task.cancel();
    }));

    it('takes promises, resolved and rejected, now and later', inTask(function* () {
        expect(yield Promise.resolve('now')).toBe('now');
        expect(yield new Promise(resolve => GLib.timeout_add(0, 1, () => {
            resolve('later');
            return false;
        }))).toBe('later');
        const error = new TypeError('rejected');
        expect(yield* expectError(Promise.reject(error))).toBe(error);
        expect(yield {
            then(resolve) {
                resolve('thenable');
            },
        }).toBe('thenable');
    }));

    it('delegates with yield*', inTask(function* () {
        function* inner(n) {
            yield Cothread.sleep(0);
            return n > 0 ? 1 + (yield* inner(n - 1)) : 0;
        }
        expect(yield* inner(20)).toBe(20);
    }));

    it('for any of several says which, and takes nothing from the others', inTask(function* () {
        const event = Cothread.Event.new(true);
        const queue = new Cothread.EventQueue();
        queue.signal('item');
        event.signal('event');
        expect(yield Cothread.waitAny([queue.wait(), event.wait()])).toEqual({index: 0, value: 'item'});
        expect(event.is_signalled()).toBe(true);
        expect(yield Cothread.waitAny([queue.wait(), event.wait()])).toEqual({index: 1, value: 'event'});
        expect(yield Cothread.waitAny([queue.wait(), event.wait(), Cothread.sleep(1)])).toEqual({index: 2, value: undefined});
        expect(yield Cothread.waitAny([Cothread.sleep(1e6), Cothread.sleep(1), Cothread.sleep(1e5)])).toEqual({index: 1, value: undefined});
        queue.signal('kept');
        expect(queue.length).toBe(1);
        event.signal('kept');
        expect(event.is_signalled()).toBe(true);
        const task = Cothread.spawn(function* () {
            yield;
            return 'task';
        });
        expect(yield Cothread.waitAny([new Promise(() => {}), task])).toEqual({index: 1, value: 'task'});
        expect(yield Cothread.waitAny([Cothread.waitAny([Cothread.sleep(1e6), Promise.resolve(7)]), Cothread.sleep(1e6)]))
            .toEqual({index: 0, value: {index: 1, value: 7}});
    }));

    it('for any of several events is ended by whichever is signalled', inTask(function* () {
        const events = [0, 1, 2, 3].map(() => Cothread.Event.new(true));
        for (const i of [2, 0, 3, 1]) {
            Cothread.spawn(function* () {
                yield Cothread.sleep(1);
                events[i].signal(i);
            });
            expect(yield Cothread.waitAny(events.map(event => event.wait()))).toEqual({index: i, value: i});
        }
        for (const event of events)
            expect(event.is_signalled()).toBe(false);
    }));

    it('for all gives all results, or the first failure', inTask(function* () {
        expect(yield Cothread.all([])).toEqual([]);
        expect(yield Cothread.all([Promise.resolve(1), Cothread.sleep(1), Cothread.spawn(() => 3)])).toEqual([1, undefined, 3]);
        const error = new Error('first');
        expect(yield* expectError(Cothread.all([Cothread.sleep(1e6), Promise.reject(error)]))).toBe(error);
    }));

    it('is ended by a descriptor', inTask(function* () {
        const process = Gio.Subprocess.new(['sh', '-c', 'sleep 0.05; echo hello'], Gio.SubprocessFlags.STDOUT_PIPE);
        const pipe = process.get_stdout_pipe();
        const condition = yield Cothread.waitDescriptor(pipe.get_fd(), GLib.IOCondition.IN);
        expect(condition & GLib.IOCondition.IN).toBe(GLib.IOCondition.IN);
        expect(new TextDecoder().decode(pipe.read_bytes(5, null).toArray())).toBe('hello');
        const error = yield* expectError(Cothread.waitDescriptor(987654, GLib.IOCondition.IN));
        expect(error instanceof GLib.Error).toBe(true);
    }));

    it('awaits GIO, from a generator and from an async function', inTask(function* () {
        Gio._promisify(Gio.File.prototype, 'load_contents_async', 'load_contents_finish');
        const file = Gio.File.new_for_path('/proc/self/status');
        const [contents] = yield file.load_contents_async(null);
        expect(new TextDecoder().decode(contents)).toContain('Name:');
        expect(yield Cothread.spawn(async () => {
            const [again] = await file.load_contents_async(null);
            return again.length > 0;
        })).toBe(true);
        const error = yield* expectError(Gio.File.new_for_path('/does/not/exist').load_contents_async(null));
        expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND)).toBe(true);
    }));
});
