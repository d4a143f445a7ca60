// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, many, eventually, Cothread, expectError, runLoop} = imports.tasks;
const {Gio, GLib} = imports.gi;

const isClosed = error => error instanceof Cothread.Error && error.code === Cothread.Error.CLOSED;

describe('an event queue', function () {
    it('gives items in order, to those who wait in order', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const seen = [];
        const consumers = [0, 1].map(id => Cothread.spawn(function* () {
            for (let i = 0; i < 3; i++)
                seen.push([id, yield queue.wait()]);
        }));
        yield;
        for (let i = 0; i < 6; i++) {
            expect(queue.signal(i)).toBe(true);
            yield Cothread.sleep(0);
        }
        yield Cothread.all(consumers);
        expect(seen.map(([, item]) => item)).toEqual([0, 1, 2, 3, 4, 5]);
        expect(seen.map(([id]) => id)).toEqual([0, 1, 0, 1, 0, 1]);
    }));

    it('refuses what does not fit', function () {
        const queue = new Cothread.EventQueue(2);
        expect(queue.signal(1)).toBe(true);
        expect(queue.signal(2)).toBe(true);
        expect(queue.signal(3)).toBe(false);
        expect(queue.length).toBe(2);
        expect(queue.maxLength).toBe(2);
        queue.reset();
        expect(queue.length).toBe(0);
        expect(() => new Cothread.EventQueue('many')).toThrowError(TypeError);
        expect(() => new Cothread.EventQueue(-1)).toThrowError(TypeError);
    });

    it('when closed drains, then ends', inTask(function* () {
        const queue = new Cothread.EventQueue();
        queue.signal(1);
        queue.close();
        expect(yield queue.wait()).toBe(1);
        expect(isClosed(yield* expectError(queue.wait()))).toBe(true);
        expect(yield queue.next()).toEqual({value: undefined, done: true});
        expect(isClosed((() => {
            try {
                queue.signal(2);
            } catch (error) {
                return error;
            }
            return null;
        })())).toBe(true);
        const other = new Cothread.EventQueue();
        const waiter = Cothread.spawn(function* () {
            yield other.wait();
        });
        yield;
        other.close();
        expect(isClosed(yield* expectError(waiter))).toBe(true);
    }));

    it('can be iterated by an async function', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const consumer = Cothread.spawn(async () => {
            const seen = [];
            for await (const item of queue)
                seen.push(item);
            return seen;
        });
        for (let i = 0; i < 5; i++) {
            queue.signal(i);
            if (i % 2)
                yield Cothread.sleep(1);
        }
        queue.close();
        expect(yield consumer).toEqual([0, 1, 2, 3, 4]);
    }));

    it('can be iterated by a generator', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const consumer = Cothread.spawn(function* () {
            const seen = [];
            for (;;) {
                const {value, done} = yield queue.next();
                if (done)
                    return seen;
                seen.push(value);
            }
        });
        for (let i = 0; i < 5; i++)
            queue.signal(i);
        yield;
        queue.close();
        expect(yield consumer).toEqual([0, 1, 2, 3, 4]);
    }));

    it('keeps 100 000 items in order, through its own compaction', inTask(function* () {
        const queue = new Cothread.EventQueue();
        let next = 0, expected = 0;
        for (let round = 0; round < many(100); round++) {
            for (let i = 0; i < 1000; i++)
                queue.signal(next++);
            for (let i = 0; i < many(round < 50 ? 500 : 1500); i++) {
                const item = yield queue.wait();
                if (item !== expected++)
                    throw new Error(`${item} is not ${expected - 1}`);
            }
        }
        expect(queue.length).toBe(next - expected);
    }));
});

describe('a scope', function () {
    it('waits for all its tasks', inTask(function* () {
        const scope = new Cothread.Scope();
        let n = 0;
        for (let i = 0; i < 5; i++) {
            scope.spawn(function* () {
                yield Cothread.sleep(i);
                n++;
            });
        }
        expect(scope.size).toBe(5);
        yield scope.join();
        expect(n).toBe(5);
        yield scope.join();
    }));

    it('cancels the siblings of the first that fails, and fails with that error', inTask(function* () {
        const scope = new Cothread.Scope();
        const error = new Error('first');
        let cleaned = false;
        scope.spawn(function* () {
            try {
                yield Cothread.sleep(1e6);
            } finally {
                yield Cothread.sleep(1);
                cleaned = true;
            }
        });
        scope.spawn(function* () {
            yield Cothread.sleep(1);
            throw error;
        });
        expect(yield* expectError(scope.join())).toBe(error);
        expect(cleaned).toBe(true);
        expect(() => scope.spawn(function* () {})).toThrow();
    }));

    it('cancels and waits when it is closed', inTask(function* () {
        const scope = new Cothread.Scope();
        const task = scope.spawn(function* () {
            yield Cothread.sleep(1e6);
        });
        yield;
        yield scope.close();
        expect(task.finished).toBe(true);
    }));

    it('around a block is left only when its tasks are over', inTask(function* () {
        const seen = [];
        const result = yield* Cothread.scope(function* (scope) {
            scope.spawn(function* () {
                yield Cothread.sleep(1);
                seen.push('child');
            });
            yield;
            return 'result';
        });
        expect(result).toBe('result');
        expect(seen).toEqual(['child']);
        const error = new Error('body');
        const failure = yield* expectError(Cothread.spawn(() => Cothread.scope(function* (scope) {
            scope.spawn(function* () {
                try {
                    yield Cothread.sleep(1e6);
                } finally {
                    seen.push('cancelled');
                }
            });
            yield;
            throw error;
        })));
        expect(failure).toBe(error);
        expect(seen).toEqual(['child', 'cancelled']);
    }));

    it('around a block passes a cancellation on', inTask(function* () {
        let childEnded = false;
        const task = Cothread.spawn(() => Cothread.scope(function* (scope) {
            scope.spawn(function* () {
                try {
                    yield Cothread.sleep(1e6);
                } finally {
                    childEnded = true;
                }
            });
            yield Cothread.sleep(1e6);
        }));
        yield Cothread.sleep(1);
        task.cancel();
        expect((yield* expectError(task)).matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED)).toBe(true);
        expect(childEnded).toBe(true);
    }));
});

describe('a timer', function () {
    it('runs its function once, in a task', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const timer = new Cothread.Timer(1, function* (self) {
            expect(self).toBe(timer);
            yield Cothread.sleep(0);
            queue.signal('ran');
        });
        expect(timer.pending).toBe(true);
        expect(yield queue.wait()).toBe('ran');
        expect(timer.pending).toBe(false);
        expect(() => timer.reset(1)).toThrow();
    }));

    it('retriggers until it is cancelled', inTask(function* () {
        const queue = new Cothread.EventQueue();
        let n = 0;
        const timer = new Cothread.Timer(1, () => queue.signal(++n), {retrigger: true});
        for (let i = 1; i <= 3; i++)
            expect(yield queue.wait()).toBe(i);
        timer.cancel();
        yield Cothread.sleep(10);
        expect(queue.length).toBe(0);
        expect(timer.pending).toBe(false);
        timer.reset(1);
        expect(yield queue.wait()).toBe(4);
        timer.cancel();
    }));

    it('may be cancelled by its own function', inTask(function* () {
        let n = 0;
        const timer = new Cothread.Timer(1, self => {
            n++;
            self.cancel();
        }, {retrigger: true});
        yield* eventually(() => n > 0);
        yield Cothread.sleep(20);
        expect(n).toBe(1);
        expect(timer.pending).toBe(false);
    }));

    it('that is reset starts anew', inTask(function* () {
        let n = 0;
        const timer = new Cothread.Timer(1e6, () => n++, {reuse: true});
        timer.reset(1);
        yield* eventually(() => n === 1);
        timer.reset(1);
        yield* eventually(() => n === 2);
    }));
});

describe('callback', function () {
    it('is asynchronous and keeps the order', inTask(function* () {
        const seen = [];
        const done = new Cothread.EventQueue();
        for (let i = 0; i < 10; i++)
            Cothread.callback((a, b) => seen.push(a + b), i, 100);
        Cothread.callback(function* () {
            yield;
            done.signal();
        });
        expect(seen).toEqual([]);
        yield done.wait();
        expect(seen).toEqual(Array.from({length: 10}, (_, i) => i + 100));
    }));
});

describe('other languages', function () {
    it('see JavaScript tasks, with state, name and place', inTask(function* () {
        const task = Cothread.spawn(function* sleeper() {
            yield Cothread.sleep(1e6);
        });
        yield Cothread.sleep(1);
        const handle = Cothread.Scheduler.get_default().list_tasks().find(t => t.get_name() === 'sleeper');
        expect(handle.get_state()).toBe(Cothread.TaskState.WAITING);
        expect(handle.dup_wait_reason()).toBe('sleep');
        expect(handle.get_location()).toMatch(/\.js:\d+$/);
        expect(handle.get_id()).toBe(task.handle.get_id());
        handle.cancel();
        yield* expectError(task);
        expect(handle.is_finished()).toBe(true);
    }));

    it('can be joined, by handle', inTask(function* () {
        // A handle is what a task of another language is to JavaScript.
        const task = Cothread.spawn(function* () {
            yield Cothread.sleep(1);
            throw new RangeError('too far');
        });
        const {handle} = task;
        const joiner = Cothread.spawn(function* () {
            yield handle;
        });
        const error = yield* expectError(joiner);
        expect(error instanceof GLib.Error).toBe(true);
        expect(error.message).toContain('too far');
        yield* expectError(task);
        yield* expectError(handle.join());
    }));

    it('run while JavaScript tasks only yield', function () {
        const queue = Cothread.Scheduler.get_default().get_callback_queue();
        let n = 0;
        queue.post(() => n++);
        runLoop(function* () {
            while (n === 0)
                yield;
        });
        expect(n).toBe(1);
    });
});
