// SPDX-License-Identifier: LGPL-2.1-or-later
// What cothreads cost in GJS, beside native promises and promises over GLib's
// sources, in one run. Prints a Markdown table. Times are processor time of the
// thread, the least of several runs.

import Cothread from 'gi://Cothread?version=1.0';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const QUICK = ARGV.includes('--quick');
const REPEAT = QUICK ? 2 : 5;
const SCALE = QUICK ? 0.1 : 1;
const DECODER = new TextDecoder();

function readNumber(path, index) {
    const [, data] = GLib.file_get_contents(path);
    return Number(DECODER.decode(data).split(/\s+/)[index]);
}

// Of this thread, in nanoseconds: what others do to the machine counts little.
const processorTime = () => readNumber('/proc/self/schedstat', 0);
const residentBytes = () => readNumber('/proc/self/statm', 1) * 4096;
const ms = us => us / 1000;

function row(what, value, unit, target, peer = '', peerValue = null, ratio = true) {
    const number = x => x >= 100 ? x.toFixed(0) : x.toFixed(x >= 10 ? 1 : 2);
    const ofPeer = peerValue === null ? '–' : `${number(peerValue)} ${unit}${ratio ? ` (${(peerValue / value).toFixed(1)}×)` : ''}`;
    print(`| ${what} | ${number(value)} ${unit} | ${target} | ${peer || '–'} | ${ofPeer} |`);
}

function* least(body, n) {
    let best = Infinity;
    for (let i = 0; i < REPEAT; i++) {
        const before = processorTime();
        yield* body();
        best = Math.min(best, (processorTime() - before) / n);
    }
    return best;
}

function* together(nTasks, fn) {
    const tasks = [];
    for (let i = 0; i < nTasks; i++)
        tasks.push(Cothread.spawn(fn));
    for (const task of tasks)
        yield task;
}

// ---- yields, sleeps, messages ----

function* yields() {
    const n = Math.round(300000 * SCALE);
    function* yieldAlone() {
        for (let i = 0; i < n; i++)
            yield;
    }
    const rounds = Math.round(300 * SCALE);
    const alone = yield* least(() => together(1, yieldAlone), n);
    const many = yield* least(() => together(1000, function* () {
        for (let i = 0; i < rounds; i++)
            yield;
    }), 1000 * rounds);
    const promises = yield* least(function* () {
        yield Promise.all(Array.from({length: 1000}, async () => {
            for (let i = 0; i < rounds; i++)
                await null;
        }));
    }, 1000 * rounds);
    row('yield, 1 task', alone, 'ns', '≤ 150');
    row('yield, 1 000 tasks', many, 'ns', '≤ 150, ≥ 10×', '1 000 loops that await a resolved promise', promises);
}

function* sleeps() {
    const rounds = Math.round(100 * SCALE);
    const tasks = yield* least(() => together(1000, function* () {
        for (let i = 0; i < rounds; i++)
            yield Cothread.sleep(0);
    }), 1000 * rounds);
    const few = Math.max(3, Math.round(10 * SCALE));
    const sleepPromise = () => new Promise(resolve => GLib.timeout_add(GLib.PRIORITY_DEFAULT, 0, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
    const timeouts = yield* least(function* () {
        yield Promise.all(Array.from({length: 1000}, async () => {
            for (let i = 0; i < few; i++)
                await sleepPromise();
        }));
    }, 1000 * few);
    row('sleep(0), 1 000 tasks', tasks, 'ns', '≤ 1 000, ≥ 5×', 'promise over timeout_add(0)', timeouts);
}

function* messages() {
    const n = Math.round(100000 * SCALE);
    const cost = yield* least(function* () {
        const there = new Cothread.EventQueue(), back = new Cothread.EventQueue();
        const a = Cothread.spawn(function* () {
            for (let i = 0; i < n; i++) {
                there.signal(i);
                yield back.wait();
            }
        });
        const b = Cothread.spawn(function* () {
            for (let i = 0; i < n; i++) {
                yield there.wait();
                back.signal(i);
            }
        });
        yield a;
        yield b;
    }, 2 * n);
    row('message from task to task', cost, 'ns', '≤ 500');
    const m = Math.round(10000 * SCALE);
    const event = yield* least(function* () {
        const there = Cothread.Event.new(true), back = Cothread.Event.new(true);
        const a = Cothread.spawn(function* () {
            for (let i = 0; i < m; i++) {
                there.signal(i);
                yield back.wait();
            }
        });
        const b = Cothread.spawn(function* () {
            for (let i = 0; i < m; i++) {
                yield there.wait();
                back.signal(i);
            }
        });
        yield a;
        yield b;
    }, 2 * m);
    row('the same through a Cothread.Event, which every language sees', event, 'ns', '');
}

// ---- spawning and memory ----

function* spawning() {
    const n = Math.round(200000 * SCALE);
    const sizes = [];
    function* nothing() {}
    let best = Infinity;
    for (let round = 0; round < 10; round++) {
        const before = processorTime();
        for (let i = 0; i < n; i++) {
            Cothread.spawn(nothing);
            if ((i & 1023) === 1023)
                yield;
        }
        yield;
        best = Math.min(best, (processorTime() - before) / n);
        System.gc();
        yield Cothread.sleep(1);
        sizes.push(residentBytes());
    }
    const fresh = yield* least(function* () {
        for (let i = 0; i < n / 10; i++) {
            Cothread.spawn(function* () {});
            if ((i & 1023) === 1023)
                yield;
        }
        yield;
    }, n / 10);
    row('spawn + finish', best, 'ns', '≤ 1 800');
    row('the same, a fresh closure each time', fresh, 'ns', '≤ 1 800');
    row(`growth over 8 rounds of ${n} spawns each, after two`, (sizes[9] - sizes[1]) / 1024, 'KiB', 'flat');
}

// What JavaScript has of it: its heap, and what that has allocated.
function scriptBytes() {
    const [file, stream] = Gio.File.new_tmp('cothread-XXXXXX.md');
    stream.close(null);
    System.dumpMemoryInfo(file.get_path());
    const [, data] = file.load_contents(null);
    file.delete(null);
    const text = DECODER.decode(data);
    return ['gcBytes', 'mallocBytes'].reduce((sum, name) => sum + Number(new RegExp(`"${name}": (\\d+)`).exec(text)[1]), 0);
}

// Resident memory counts whole: the nursery (16 MiB once it has grown), and arrays
// that double. So there are many tasks, and some that came and went before.
function* parking() {
    const n = Math.round(200000 * SCALE);
    function* sleeping() {
        yield Cothread.sleep(1e9);
    }
    function* park(number) {
        const tasks = new Array(number).fill(null);
        yield* collect();
        const before = residentBytes(), ofScript = scriptBytes();
        for (let i = 0; i < number; i++)
            tasks[i] = Cothread.spawn(sleeping);
        yield Cothread.sleep(50);
        yield* collect();
        const sizes = [residentBytes() - before, scriptBytes() - ofScript];
        for (const task of tasks)
            task.cancel();
        yield Cothread.sleep(50);
        return sizes.map(size => size / number);
    }
    function* collect() {
        for (let i = 0; i < 3; i++) {
            System.gc();
            yield Cothread.sleep(10);
        }
    }
    yield* park(Math.round(n / 100));
    const [bytes, ofScript] = yield* park(n);
    row(`a parked generator task, of ${n}`, bytes, 'bytes', '≤ 1 200', 'of that JavaScript\'s own', ofScript, false);
}

// ---- floods ----

// A 16 ms timer at the priority of GTK's layout while `flood` goes on: the share
// of its ticks that came, and the 99th percentile of their distance.
function* beside(flood) {
    const seconds = QUICK ? 1 : 4;
    const times = [];
    // GJS drops a callback that comes during a collection, and with it the source.
    const add = () => GLib.timeout_add(120, 16, () => {
        times.push(GLib.get_monotonic_time());
        return GLib.SOURCE_CONTINUE;
    });
    const context = GLib.MainContext.default();
    let source = add();
    const end = GLib.get_monotonic_time() + seconds * 1e6;
    const isOver = () => GLib.get_monotonic_time() >= end;
    const keeper = Cothread.spawn(function* () {
        for (;;) {
            yield Cothread.sleep(10);
            if (context.find_source_by_id(source) === null)
                source = add();
        }
    });
    let counts = 0;
    try {
        counts = yield Cothread.timeout((seconds + 1) * 1000, flood(isOver));
    } catch (error) {
        // Its source was dropped.
    }
    keeper.cancel();
    if (context.find_source_by_id(source) !== null)
        GLib.source_remove(source);
    const during = times.filter(t => t < end);
    const gaps = during.map((t, i) => t - (i > 0 ? during[i - 1] : end - seconds * 1e6)).sort((a, b) => a - b);
    return {
        ticks: during.length / (seconds * 1e6 / 16000) * 100,
        p99: gaps.length > 0 ? ms(gaps[Math.floor(gaps.length * 0.99)]) : seconds * 1000,
        work: counts / seconds,
    };
}

function busy(us) {
    const end = GLib.get_monotonic_time() + us;
    while (GLib.get_monotonic_time() < end)
        ;
}

function floodTasks(isOver) {
    let n = 0, over = false;
    const tasks = [];
    for (let i = 0; i < 100; i++) {
        tasks.push(Cothread.spawn(function* () {
            while (!over) {
                n++;
                yield;
            }
        }));
        tasks.push(Cothread.spawn(function* () {
            while (!over) {
                n++;
                yield Promise.resolve();
            }
        }));
    }
    for (let i = 0; i < 20; i++) {
        tasks.push(Cothread.spawn(function* () {
            while (!over) {
                n++;
                busy(200);
                yield;
            }
        }));
        tasks.push(Cothread.spawn(async self => {
            while (!over) {
                n++;
                await self.wait(Cothread.yield());
            }
        }));
    }
    return Cothread.spawn(function* () {
        while (!isOver())
            yield Cothread.sleep(20);
        over = true;
        yield Cothread.all(tasks);
        return n;
    });
}

function floodPromises(isOver) {
    return (async () => {
        let n = 0;
        while (!isOver()) {
            n++;
            await null;
        }
        return n;
    })();
}

function floodIdles(isOver) {
    return new Promise(resolve => {
        let n = 0;
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            n++;
            busy(200);
            if (!isOver())
                return GLib.SOURCE_CONTINUE;
            resolve(n);
            return GLib.SOURCE_REMOVE;
        });
    });
}

function* floods() {
    const tasks = yield* beside(floodTasks);
    const promises = yield* beside(floodPromises);
    const idles = yield* beside(floodIdles);
    row('flood of tasks: ticks of a 16 ms timer at priority 120', tasks.ticks, '%', '≥ 95', 'flood of promises', promises.ticks, false);
    row('… 99th percentile of their distance', tasks.p99, 'ms', '≤ 20', 'flood of idle callbacks: ticks in %', idles.ticks, false);
}

// ---- a storm of collections ----

function* storm() {
    const end = GLib.get_monotonic_time() + (QUICK ? 1e6 : 5e6);
    let worst = 0, nSlept = 0, nWoken = 0;
    const tasks = [];
    for (let i = 0; i < 1000; i++) {
        tasks.push(Cothread.spawn(function* () {
            while (GLib.get_monotonic_time() < end) {
                const due = GLib.get_monotonic_time() + 10000 + i * 10;
                nSlept++;
                yield Cothread.sleep((due - GLib.get_monotonic_time()) / 1000);
                nWoken++;
                worst = Math.max(worst, GLib.get_monotonic_time() - due);
            }
        }));
    }
    const garbage = [];
    const collector = Cothread.spawn(function* () {
        while (GLib.get_monotonic_time() < end) {
            for (let i = 0; i < 300; i++)
                garbage[(Math.random() * 20000) | 0] = {text: `${i}`, list: new Array(20).fill({})};
            yield;
        }
    });
    yield Cothread.all(tasks);
    yield collector;
    row('storm of collections: wakes lost', nSlept - nWoken, `of ${nSlept}`, '0');
    row('… worst lateness of 1 000 sleepers', ms(worst), 'ms', '≤ 25');
}

if (!ARGV.includes('--no-head'))
    print('| what | cothreads | must reach | peer | of the peer |');
if (!ARGV.includes('--no-head'))
    print('| --- | --- | --- | --- | --- |');
const sections = {yields, sleeps, messages, spawning, parking, floods, storm};
const chosen = ARGV.filter(name => name in sections);
const loop = new GLib.MainLoop(null, false);
let status = 1;
Cothread.spawn(function* perf() {
    try {
        for (const name of chosen.length > 0 ? chosen : Object.keys(sections))
            yield* sections[name]();
        status = 0;
    } finally {
        loop.quit();
    }
});
loop.run();
if (status !== 0)
    System.exit(status);
