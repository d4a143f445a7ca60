// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, many, eventually, Cothread, expectError} = imports.tasks;
const {Gio, GLib} = imports.gi;

const isCancelled = error => error instanceof Gio.IOErrorEnum && error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);

function handles() {
    return Cothread.Scheduler.get_default().list_tasks();
}

describe('cancelling', function () {
    const waits = {
        'a sleep': () => Cothread.sleep(1e6),
        'a yield': () => Cothread.yield(),
        'an event': () => Cothread.Event.new(true).wait(),
        'an event with a timeout': () => Cothread.Event.new(true).wait(1e6),
        'a queue': () => new Cothread.EventQueue().wait(),
        'a promise': () => new Promise(() => {}),
        'a task': () => Cothread.spawn(function* () {
            yield Cothread.sleep(20);
        }),
        'any of several': () => Cothread.waitAny([Cothread.sleep(1e6), Cothread.Event.new(true).wait()]),
        'all of several': () => Cothread.all([Cothread.sleep(1e6), new Promise(() => {})]),
        'a scope': () => {
            const scope = new Cothread.Scope();
            scope.spawn(function* () {
                yield Cothread.sleep(20);
            });
            return scope.join();
        },
    };
    for (const [what, makeWait] of Object.entries(waits)) {
        for (const from of ['JavaScript', 'elsewhere', 'its cancellable']) {
            it(`from ${from} ends ${what}, once, and clean-up may wait`, inTask(function* () {
                const seen = [];
                const task = Cothread.spawn(function* () {
                    try {
                        for (;;)
                            yield makeWait();
                    } catch (error) {
                        seen.push(isCancelled(error));
                        yield Cothread.sleep(1);
                        yield;
                        seen.push('cleaned up');
                        return 'result';
                    }
                });
                yield Cothread.sleep(1);
                expect(task.cancelled).toBe(false);
                if (from === 'JavaScript')
                    task.cancel();
                else if (from === 'elsewhere')
                    task.handle.cancel();
                else
                    task.cancellable.cancel();
                task.cancel();
                const {cancellable} = task;
                expect(cancellable.is_cancelled()).toBe(true);
                expect(yield task).toBe('result');
                expect(seen).toEqual([true, 'cleaned up']);
                expect(task.cancelled).toBe(true);
            }));
        }
    }

    it('before the first run keeps the function from running', inTask(function* () {
        let ran = false;
        for (const body of [function* () {
            ran = true;
            yield;
        }, async () => {
            ran = true;
            await null;
        }, () => {
            ran = true;
        }]) {
            const task = Cothread.spawn(body);
            task.cancel();
            expect(isCancelled(yield* expectError(task))).toBe(true);
        }
        const task = Cothread.spawn(function* () {
            ran = true;
            yield;
        });
        task.handle.cancel();
        expect(isCancelled(yield* expectError(task))).toBe(true);
        expect(ran).toBe(false);
    }));

    it('a running task is felt at its next wait', inTask(function* () {
        const task = Cothread.spawn(function* (self) {
            self.cancel();
            try {
                yield Cothread.sleep(1e6);
            } catch (error) {
                return isCancelled(error);
            }
            return 'no error';
        });
        expect(yield task).toBe(true);
    }));

    it('a finished task changes nothing', inTask(function* () {
        const task = Cothread.spawn(() => 1);
        yield task;
        task.cancel();
        expect(task.cancelled).toBe(false);
        expect(yield task).toBe(1);
    }));

    it('an async function rejects what it awaits, once', inTask(function* () {
        for (const from of ['JavaScript', 'elsewhere']) {
            const seen = [];
            let isWaiting = false;
            const task = Cothread.spawn(async () => {
                await Cothread.sleep(0);
                await Cothread.promise(Promise.resolve());
                isWaiting = true;
                try {
                    await Cothread.sleep(1e6);
                } catch (error) {
                    seen.push(isCancelled(error));
                }
                await Cothread.sleep(1);
                return 'cleaned up';
            });
            yield* eventually(() => isWaiting);
            yield Cothread.sleep(1);
            if (from === 'JavaScript')
                task.cancel();
            else
                task.handle.cancel();
            expect(yield Cothread.timeout(10000, task)).toBe('cleaned up');
            expect(seen).toEqual([true]);
        }
    }));

    it('reaches a wait that an async function declares its own after a promise of others', inTask(function* () {
        let isWaiting = false;
        const task = Cothread.spawn(async self => {
            await null;
            expect(Cothread.current).toBe(null);
            await self.wait(Cothread.sleep(0));
            expect(Cothread.current).toBe(self);
            isWaiting = true;
            try {
                await self.wait(new Promise(() => {}));
            } catch (error) {
                return isCancelled(error);
            }
            return false;
        });
        yield* eventually(() => isWaiting);
        yield Cothread.sleep(1);
        task.cancel();
        expect(yield Cothread.timeout(10000, task)).toBe(true);
    }));

    it('an error in a clean-up is the result', inTask(function* () {
        const error = new Error('clean-up');
        const task = Cothread.spawn(function* () {
            try {
                yield Cothread.sleep(1e6);
            } finally {
                throw error; // eslint-disable-line no-unsafe-finally
            }
        });
        yield;
        task.cancel();
        expect(yield* expectError(task)).toBe(error);
    }));

    it('a waiter does not cost a signal', inTask(function* () {
        const event = Cothread.Event.new(true);
        const first = Cothread.spawn(function* () {
            yield event.wait();
        });
        const second = Cothread.spawn(function* () {
            return yield event.wait();
        });
        yield Cothread.sleep(1);
        event.signal('for one');
        first.cancel();
        expect(isCancelled(yield* expectError(first))).toBe(true);
        expect(yield second).toBe('for one');
    }));

    it('all of 1 000 tasks leaves none', inTask(function* () {
        yield Cothread.sleep(0);
        const before = handles().length;
        const tasks = [];
        const n = many(1000);
        for (let i = 0; i < n; i++) {
            tasks.push(Cothread.spawn(function* () {
                yield i % 2 ? Cothread.sleep(1e6) : new Cothread.EventQueue().wait();
            }));
        }
        yield Cothread.sleep(1);
        expect(handles().length).toBe(before + n);
        tasks.forEach((task, i) => i % 3 ? task.cancel() : task.handle.cancel());
        for (const task of tasks)
            expect(isCancelled(yield* expectError(task))).toBe(true);
        yield Cothread.sleep(0);
        expect(handles().length).toBe(before);
    }));

    it('keeps GIO\'s own calls in step through the cancellable', inTask(function* () {
        Gio._promisify(Gio.Subprocess.prototype, 'wait_async', 'wait_finish');
        const process = Gio.Subprocess.new(['sleep', '100'], Gio.SubprocessFlags.NONE);
        const task = Cothread.spawn(function* (self) {
            yield process.wait_async(self.cancellable);
        });
        yield Cothread.sleep(1);
        task.cancel();
        expect(isCancelled(yield* expectError(task))).toBe(true);
        process.force_exit();
        expect(GLib.MainLoop).toBeDefined();
    }));
});
