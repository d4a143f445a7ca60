// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, many, Cothread, expectError} = imports.tasks;
const {Gio, GLib} = imports.gi;

describe('spawn', function () {
    it('runs a generator function at the next suspension, and not at once', inTask(function* () {
        const seen = [];
        const task = Cothread.spawn(function* () {
            seen.push('task');
        });
        seen.push('spawned');
        yield task;
        expect(seen).toEqual(['spawned', 'task']);
    }));

    it('starts tasks in the order in which they were spawned', inTask(function* () {
        const seen = [];
        const tasks = [];
        for (let i = 0; i < 100; i++) {
            tasks.push(Cothread.spawn(i % 2 ? function* () {
                seen.push(i);
                yield;
            } : () => seen.push(i)));
        }
        yield Cothread.all(tasks);
        expect(seen).toEqual(Array.from({length: 100}, (_, i) => i));
    }));

    it('gives the result of a generator, an async and a plain function', inTask(function* () {
        expect(yield Cothread.spawn(function* () {
            yield;
            return 1;
        })).toBe(1);
        expect(yield Cothread.spawn(async () => {
            await null;
            return 2;
        })).toBe(2);
        expect(yield Cothread.spawn(() => 3)).toBe(3);
    }));

    it('drives the generator, and awaits the promise, that a plain function returns', inTask(function* () {
        function* generator() {
            yield Cothread.sleep(0);
            return 'generator';
        }
        expect(yield Cothread.spawn(() => generator())).toBe('generator');
        expect(yield Cothread.spawn(() => Promise.resolve('promise'))).toBe('promise');
    }));

    it('passes the task to its function', inTask(function* () {
        const task = Cothread.spawn(function* (self) {
            expect(self).toBe(Cothread.current);
            yield;
            expect(self).toBe(Cothread.current);
            return self;
        });
        expect(yield task).toBe(task);
    }));

    it('takes nothing but functions', function () {
        for (const wrong of [undefined, null, 5, 'text', {}, [], Symbol('s')])
            expect(() => Cothread.spawn(wrong)).toThrowError(TypeError, /is not a function: Cothread.spawn\(\) takes a generator function/);
        function* generator() {
            yield;
        }
        expect(() => Cothread.spawn(generator())).toThrowError(TypeError, /the function itself, not what it returns/);
        expect(() => Cothread.spawn(class Thing {})).toThrowError(TypeError, /Thing is a class/);
    });

    it('names tasks after their functions, and where they were spawned', inTask(function* () {
        const task = Cothread.spawn(function* worker() {
            yield Cothread.sleep(0);
        });
        expect(task.name).toBe('worker');
        expect(task.location).toMatch(/^testSpawn.js:\d+$|^tasks.js:\d+$/);
        const named = Cothread.spawn(function* () {
            yield Cothread.sleep(0);
        }, {name: 'the other'});
        yield;
        expect(named.name).toBe('the other');
        const names = Cothread.Scheduler.get_default().list_tasks().map(t => t.get_name());
        expect(names).toContain('worker');
        expect(names).toContain('the other');
        named.name = 'renamed';
        expect(Cothread.Scheduler.get_default().list_tasks().map(t => t.get_name())).toContain('renamed');
        yield Cothread.all([task, named]);
    }));

    it('lets any number join, at once or one after another', inTask(function* () {
        const task = Cothread.spawn(function* () {
            yield Cothread.sleep(2);
            return {is: 'the same'};
        });
        const joiners = [];
        for (let i = 0; i < 10; i++) {
            joiners.push(Cothread.spawn(function* () {
                return yield task.join();
            }));
        }
        joiners.push(Cothread.spawn(async () => await task));
        const results = yield Cothread.all(joiners);
        const last = yield task;
        for (const result of results)
            expect(result).toBe(last);
        expect(yield task).toBe(last);
    }));

    it('keeps the identity, class and stack of an error through joins', inTask(function* () {
        class OwnError extends RangeError {}
        const error = new OwnError('mine');
        const {stack} = error;
        const task = Cothread.spawn(function* () {
            yield;
            throw error;
        });
        const relay = Cothread.spawn(function* () {
            yield task;
        });
        const relay2 = Cothread.spawn(async () => {
            await relay;
        });
        for (const t of [relay2, task, relay, task]) {
            const caught = yield* expectError(t);
            expect(caught).toBe(error);
            expect(caught.stack).toBe(stack);
        }
    }));

    it('keeps the domain of a GLib error', inTask(function* () {
        const queue = new Cothread.EventQueue();
        queue.close();
        const error = yield* expectError(Cothread.spawn(function* () {
            yield queue.wait();
        }));
        expect(error instanceof Cothread.Error).toBe(true);
        expect(error.matches(Cothread.Error, Cothread.Error.CLOSED)).toBe(true);
        const other = yield* expectError(Cothread.spawn(function* () {
            yield;
            Gio.File.new_for_path('/does/not/exist').load_contents(null);
        }));
        expect(other.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND)).toBe(true);
        expect(other instanceof Gio.IOErrorEnum).toBe(true);
    }));

    it('logs an error that nobody joins once, with task, message and file', function () {
        const {stderr, status} = imports.tasks.programs.run(`
            import Cothread from 'gi://Cothread?version=1.0';
            import GLib from 'gi://GLib';
            const loop = new GLib.MainLoop(null, false);
            Cothread.spawn(function* doomed() { yield; throw new RangeError('out of range'); });
            Cothread.spawn(async function doomedAsync() { await Cothread.sleep(1); throw new Error('async too'); });
            const joined = Cothread.spawn(function* joined() { yield; throw new Error('joined'); });
            Cothread.spawn(function* () { try { yield joined; } catch (error) {} yield Cothread.sleep(2000); loop.quit(); });
            loop.run();`);
        expect(status).toBe(0);
        expect(stderr.match(/doomed \([^)]*\.js:\d+\) failed and nobody joined it/g).length).toBe(1);
        expect(stderr.match(/RangeError: out of range/g).length).toBe(1);
        expect(stderr.match(/doomedAsync \([^)]*\.js:\d+\) failed and nobody joined it/g).length).toBe(1);
        expect(stderr).not.toContain('Error: joined');
    });

    it('works from a legacy script as from a module', function () {
        expect(imports.gi.Cothread.spawn).toBe(Cothread.spawn);
        expect(GLib.MainLoop).toBeDefined();
    });

    it('counts tasks that come and go between two looks', inTask(function* () {
        const scheduler = Cothread.Scheduler.get_default();
        const before = scheduler.get_statistics();
        const n = many(1000);
        for (let i = 0; i < n; i++)
            Cothread.spawn(() => {});
        yield;
        const after = scheduler.get_statistics();
        expect(after.spawned - before.spawned).toBe(n);
        expect(after.finished - before.finished).toBe(n);
        expect(after.tasks).toBe(before.tasks);
        expect(after.tasks).toBe(after.ready + after.waiting + after.running);
    }));
});
