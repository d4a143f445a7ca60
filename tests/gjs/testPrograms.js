// SPDX-License-Identifier: LGPL-2.1-or-later
// What only a whole program shows: its beginning and its end.

const {programs} = imports.tasks;

const PRELUDE = `
    import Cothread from 'gi://Cothread?version=1.0';
    import Gio from 'gi://Gio';
    import GLib from 'gi://GLib';
    const loop = new GLib.MainLoop(null, false);
`;

function run(text) {
    const result = programs.run(PRELUDE + text);
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    return result.stdout;
}

describe('a program', function () {
    it('may await at its top level without a loop, and run one afterwards', function () {
        expect(run(`
            await Cothread.sleep(5);
            print('slept');
            print(await Cothread.spawn(function* () { yield Cothread.sleep(1); return 'joined'; }));
            const event = Cothread.Event.new(true);
            Cothread.spawn(function* () { yield; event.signal('signalled'); });
            print(await event.wait());
            try {
                await new Cothread.EventQueue().wait(1);
            } catch (error) {
                print(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT));
            }
            Cothread.spawn(function* () { yield Cothread.sleep(1); loop.quit(); });
            loop.run();
            print('loop over');
            await Cothread.sleep(1);
            print('and again');
        `)).toBe('slept\njoined\nsignalled\ntrue\nloop over\nand again\n');
    });

    it('does not spin while all its tasks sleep', function () {
        expect(run(`
            await Cothread.sleep(1);
            Cothread.spawn(function* () { yield Cothread.sleep(300); loop.quit(); });
            for (let i = 0; i < 10; i++)
                Cothread.spawn(async () => { await Cothread.sleep(100); });
            const turns = () => Cothread.Scheduler.get_default().get_statistics().turns;
            const before = turns();
            loop.run();
            print(turns() - before < 60);
        `)).toBe('true\n');
    });

    it('may end with 2 000 tasks pending', function () {
        for (const ending of ['', 'loop.run();', 'imports.system.exit(0);']) {
            expect(run(`
                const event = Cothread.Event.new(true);
                for (let i = 0; i < 2000; i++) {
                    Cothread.spawn([
                        function* () { yield Cothread.sleep(1e6); },
                        async function () { await Cothread.sleep(1e6); },
                        function* () { yield event.wait(); },
                        function* () { yield new Promise(() => {}); },
                        function* () { for (;;) yield; },
                    ][i % 5]);
                }
                Cothread.spawn(function* () { yield Cothread.sleep(20); loop.quit(); });
                ${ending}
                print('over');
            `)).toMatch(ending.includes('exit') ? /^$/ : /^over\n$/);
        }
    });

    it('that shuts the scheduler down ends its tasks, clean-ups included', function () {
        expect(run(`
            let cleaned = 0, ended = 0;
            for (let i = 0; i < 2000; i++) {
                Cothread.spawn(function* () {
                    try {
                        yield i % 2 ? Cothread.sleep(1e6) : new Cothread.EventQueue().wait();
                    } finally {
                        yield Cothread.sleep(0);
                        cleaned++;
                    }
                });
            }
            Cothread.spawn(async () => { await Cothread.sleep(1e6); }).then(() => {}, () => {});
            Cothread.spawn(function* () { yield Cothread.sleep(5); loop.quit(); });
            loop.run();
            const scheduler = Cothread.Scheduler.get_default();
            scheduler.shutdown();
            print(cleaned, scheduler.get_statistics().tasks);
            try {
                Cothread.spawn(function* () { yield; });
            } catch (error) {
                print(error.code === Cothread.Error.CLOSED);
            }
        `)).toBe('2000 0\ntrue\n');
    });

    it('that shuts the scheduler down before its tasks began never runs them', function () {
        expect(run(`
            for (let i = 0; i < 10; i++)
                Cothread.spawn(function* () { print('ran'); yield; });
            Cothread.Scheduler.get_default().shutdown();
            print('over');
        `)).toBe('over\n');
    });

    it('that finds records copied instead of shared works the same', function () {
        expect(programs.run(`${PRELUDE}
            GLib.setenv('COTHREAD_GJS_COPIES', '1', true);
            let n = 0;
            const tasks = [];
            for (let i = 0; i < 3000; i++) {
                tasks.push(Cothread.spawn(function* () {
                    yield Cothread.sleep(i % 5);
                    yield;
                    n++;
                }));
            }
            for (const task of tasks)
                await task;
            print(n);
        `).stdout).toBe('3000\n');
    });
});
