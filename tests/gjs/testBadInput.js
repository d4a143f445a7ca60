// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, many, eventually, Cothread, expectError} = imports.tasks;
const {GLib} = imports.gi;
const System = imports.system;

describe('bad input', function () {
    it('yielded is a TypeError inside the task that says what was expected', inTask(function* () {
        function* generator() {
            yield;
        }
        for (const wrong of [5, 'text', true, null, {}, [], () => 1, generator(), Symbol('s'), 10n, Cothread, new Cothread.Event()]) {
            const error = yield* expectError(wrong);
            expect(error instanceof TypeError).toBe(true);
            expect(error.message).toContain('is not something to wait for: yield nothing, a wait such as');
        }
        expect((yield* expectError(generator())).message).toContain('yield* it');
    }));

    it('awaited is what JavaScript makes of it', inTask(function* () {
        expect(yield Cothread.spawn(async () => await 5)).toBe(5);
    }));

    it('in lists is an error', inTask(function* () {
        expect(() => Cothread.waitAny([])).toThrowError(TypeError, /nothing in this list/);
        expect(() => Cothread.waitAny(5)).toThrowError(TypeError, /not a list/);
        expect(() => Cothread.all(null)).toThrowError(TypeError, /not a list/);
        expect((yield* expectError(Cothread.waitAny([Cothread.sleep(1e6), 5]))) instanceof TypeError).toBe(true);
        expect((yield* expectError(Cothread.all([Cothread.sleep(1e6), 5]))) instanceof TypeError).toBe(true);
        expect((yield* expectError(Cothread.timeout(5, 5))) instanceof TypeError).toBe(true);
        for (const wrong of ['soon', undefined, NaN, {}])
            expect(() => Cothread.sleep(wrong)).toThrowError(TypeError, /milliseconds/);
        expect(() => Cothread.callback(5)).toThrowError(TypeError);
        expect(() => new Cothread.Timer(1, 5)).toThrowError(TypeError);
    }));

    it('joining oneself is an error, not a deadlock', inTask(function* () {
        const task = Cothread.spawn(function* (self) {
            return yield* expectError(self);
        });
        expect((yield task).message).toContain('cannot join itself');
        const other = Cothread.spawn(function* (self) {
            return yield* expectError(Cothread.waitAny([Cothread.sleep(1e6), self.join()]));
        });
        expect((yield other).message).toContain('cannot join itself');
        const byHandle = Cothread.spawn(function* (self) {
            return yield* expectError(self.handle);
        });
        expect((yield byHandle).message).toContain('cannot join itself');
    }));

    it('a generator that somebody else drives ends the task in order', inTask(function* () {
        let generator;
        function* body() {
            yield Cothread.sleep(1);
            return 'never';
        }
        const task = Cothread.spawn(() => (generator = body()));
        yield;
        expect(generator.return('early')).toEqual({value: 'early', done: true});
        expect(yield task).toBe(undefined);
    }));

    it('a generator that runs itself is an error of the task', inTask(function* () {
        let generator;
        function* body() {
            generator.next();
            yield;
        }
        const error = yield* expectError(Cothread.spawn(() => (generator = body())));
        expect(error instanceof TypeError).toBe(true);
    }));

    it('infinite recursion is an error of the task, and nothing else', inTask(function* () {
        function recurse() {
            return 1 + recurse();
        }
        const other = Cothread.spawn(function* () {
            yield Cothread.sleep(1);
            return 'alive';
        });
        const error = yield* expectError(Cothread.spawn(function* () {
            yield;
            recurse();
        }));
        expect(`${error}`).toContain('too much recursion');
        function* recurseInGenerators() {
            yield* recurseInGenerators();
        }
        expect(`${yield* expectError(Cothread.spawn(recurseInGenerators))}`).toContain('too much recursion');
        expect(yield other).toBe('alive');
    }));

    function expectRefusal(call) {
        let error = null;
        try {
            call();
        } catch (e) {
            error = e;
        }
        expect(error instanceof Cothread.Error).toBe(true);
        expect(error.code).toBe(Cothread.Error.WRONG_CONTEXT);
        expect(error.message).toContain('_async form');
    }
    const suspending = [
        () => Cothread.Event.new(true).wait_sync(1000), () => Cothread.wait_fd(0, 1, 1000), () => Cothread.Pulse.new().wait(-1),
        () => Cothread.Semaphore.new(0, 0).acquire(-1), () => Cothread.wait_for_quit(false), () => Cothread.sleep_until(0),
    ];

    it('a suspending call of the library is refused, with a name for what to use', inTask(function* () {
        yield;
        suspending.forEach(expectRefusal);
        yield Cothread.spawn(async () => {
            await Cothread.sleep(0);
            suspending.forEach(expectRefusal);
        });
    }));

    it('a suspending call is refused in a handler of the main loop too', function (done) {
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            suspending.forEach(expectRefusal);
            done();
            return GLib.SOURCE_REMOVE;
        });
    });

    it('a task that nobody refers to goes on when it is collected', inTask(function* () {
        let n = 0;
        for (let i = 0; i < many(100); i++) {
            Cothread.spawn(function* () {
                yield Cothread.sleep(20);
                n++;
            });
        }
        const queue = new Cothread.EventQueue();
        (function () {
            Cothread.spawn(function* () {
                yield new Cothread.EventQueue().wait();
            });
        }());
        yield;
        for (let i = 0; i < 5; i++) {
            System.gc();
            yield Cothread.sleep(1);
        }
        yield* eventually(() => n === many(100));
        expect(queue.length).toBe(0);
    }));

    it('cancelled twice is cancelled once, and a wait after its end changes nothing', inTask(function* () {
        let n = 0, kept;
        const task = Cothread.spawn(function* (self) {
            kept = self;
            try {
                yield Cothread.sleep(1e6);
            } catch (error) {
                n++;
                self.cancel();
                yield Cothread.sleep(1);
                return 'cleaned up';
            }
            return 'not cancelled';
        });
        yield Cothread.sleep(1);
        task.cancel();
        task.cancel();
        task.handle.cancel();
        expect(yield task).toBe('cleaned up');
        expect(n).toBe(1);
        // It has finished: a wait in its name is one of nobody's.
        expect(kept.finished).toBe(true);
        expect(yield Cothread.spawn(async () => await kept.wait(Cothread.spawn(() => 'still works')))).toBe('still works');
        kept.cancel();
        expect(kept.cancelled).toBe(true);
        expect(yield kept).toBe('cleaned up');
    }));

    it('thrown in a clean-up is the error of the task', inTask(function* () {
        const error = new Error('of the clean-up');
        const task = Cothread.spawn(function* () {
            try {
                yield Cothread.sleep(1e6);
            } finally {
                yield Cothread.sleep(1);
                throw error; // eslint-disable-line no-unsafe-finally
            }
        });
        yield Cothread.sleep(1);
        task.cancel();
        expect(yield* expectError(task)).toBe(error);
    }));

    it('a wait in the name of a task that has not begun belongs to nobody', inTask(function* () {
        const other = Cothread.spawn(async () => 'began');
        const early = Cothread.spawn(async () => await other.wait(Cothread.sleep(1)));
        yield early;
        expect(yield other).toBe('began');
    }));

    it('thrown is handed on, whatever it is', inTask(function* () {
        for (const thrown of [undefined, null, 0, 'text', {some: 'object'}]) {
            let caught = 'nothing';
            try {
                yield Cothread.spawn(function* () {
                    yield;
                    throw thrown;
                });
            } catch (error) {
                caught = error;
            }
            expect(caught).toBe(thrown);
        }
    }));
});
