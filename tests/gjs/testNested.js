// SPDX-License-Identifier: LGPL-2.1-or-later
const {inTask, many, Cothread, expectError, runLoop} = imports.tasks;
const {Gio, GLib} = imports.gi;

describe('a nested main loop', function () {
    it('that a generator runs stops no other task', inTask(function* () {
        let steps = 0, stop = false;
        const others = [0, 1, 2].map(() => Cothread.spawn(function* () {
            while (!stop) {
                steps++;
                yield steps % 3 ? undefined : Cothread.sleep(0);
            }
        }));
        yield;
        const before = steps;
        const enough = before + many(100);
        const loop = new GLib.MainLoop(null, false);
        const quitter = Cothread.spawn(function* () {
            while (steps < enough)
                yield Cothread.sleep(0);
            loop.quit();
        });
        loop.run();
        expect(steps).not.toBeLessThan(enough);
        stop = true;
        yield Cothread.all([...others, quitter]);
    }));

    it('that a callback of GLib runs stops no task', function (done) {
        let steps = 0;
        const task = Cothread.spawn(function* () {
            while (steps < 50) {
                steps++;
                yield Cothread.sleep(0);
            }
        });
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            const loop = new GLib.MainLoop(null, false);
            Cothread.spawn(function* () {
                yield task;
                loop.quit();
            });
            loop.run();
            expect(steps).toBe(50);
            done();
            return GLib.SOURCE_REMOVE;
        });
    });

    it('nests as deep as tasks open it, and ends last in, first out', inTask(function* () {
        const seen = [];
        function open(depth) {
            if (depth === 5)
                return;
            seen.push(depth);
            runLoop(function* () {
                yield Cothread.sleep(1);
                open(depth + 1);
            });
            seen.push(-depth);
        }
        open(1);
        expect(seen).toEqual([1, 2, 3, 4, -4, -3, -2, -1]);
        yield Cothread.sleep(0);
    }));

    it('lets a task that handlers wake go on', inTask(function* () {
        const queue = new Cothread.EventQueue();
        const loop = new GLib.MainLoop(null, false);
        const consumer = Cothread.spawn(function* () {
            for (let i = 0; i < 5; i++)
                yield queue.wait();
            loop.quit();
        });
        let n = 0;
        GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, () => {
            queue.signal(n++);
            return n < 5;
        });
        loop.run();
        yield consumer;
    }));

    it('of a task that is cancelled meanwhile goes on, and its next wait fails', inTask(function* () {
        const task = Cothread.spawn(function* (self) {
            const loop = new GLib.MainLoop(null, false);
            GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, () => {
                self.handle.cancel();
                return GLib.SOURCE_REMOVE;
            });
            GLib.timeout_add(GLib.PRIORITY_DEFAULT, 20, () => {
                loop.quit();
                return GLib.SOURCE_REMOVE;
            });
            loop.run();
            yield Cothread.sleep(1e6);
        });
        const error = yield* expectError(task);
        expect(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED)).toBe(true);
    }));

    it('leaves no driver behind', inTask(function* () {
        const drivers = () => Cothread.Scheduler.get_default().list_tasks().filter(t => t.get_name() === 'JavaScript').length;
        for (let i = 0; i < 10; i++) {
            runLoop(function* () {
                yield Cothread.sleep(1);
            });
        }
        yield Cothread.sleep(1);
        expect(drivers()).toBe(1);
    }));
});

describe('thousands of tasks', function () {
    it('parked and woken in one go all wake', inTask(function* () {
        const event = Cothread.Event.new(false);
        let woken = 0;
        const tasks = [];
        const n = many(5000);
        for (let i = 0; i < n; i++) {
            tasks.push(Cothread.spawn(function* () {
                yield i % 3 === 0 ? event.wait() : Cothread.sleep(i % 7);
                woken++;
            }));
        }
        yield Cothread.sleep(1);
        event.signal();
        yield Cothread.all(tasks);
        expect(woken).toBe(n);
    }));
});
