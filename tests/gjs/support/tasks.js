// SPDX-License-Identifier: LGPL-2.1-or-later
/* exported inTask, many, eventually, collectsAtEachStep, Cothread, runLoop, expectError, programs */
/* eslint no-var: off */

imports.gi.versions.Cothread = '1.0';
const {Gio, GLib} = imports.gi;
var Cothread = imports.gi.Cothread;
const System = imports.system;

// Once the whole suite runs with a collection at every step of every task.
var collectsAtEachStep = GLib.getenv('COTHREAD_TEST_COLLECT') !== null;

// A machine under load, or one that collects all the time.
jasmine.DEFAULT_TIMEOUT_INTERVAL = 120000;

// So many tasks or steps, or a few of them where each costs milliseconds.
function many(n) {
    return collectsAtEachStep ? Math.max(5, Math.floor(n / 200)) : n;
}

if (collectsAtEachStep) {
    const spawn = Cothread.spawn;
    Cothread.spawn = function (fn, options) {
        if (typeof fn !== 'function' || Object.prototype.toString.call(fn) !== '[object GeneratorFunction]')
            return spawn(fn, options);
        function* collecting(task) {
            const generator = fn(task);
            let failed = false, value;
            for (;;) {
                System.gc();
                const result = failed ? generator.throw(value) : generator.next(value);
                if (result.done)
                    return result.value;
                try {
                    value = yield result.value;
                    failed = false;
                } catch (error) {
                    value = error;
                    failed = true;
                }
            }
        }
        Object.defineProperty(collecting, 'name', {value: fn.name});
        return spawn(collecting, options);
    };
}

// A spec whose body is a cothread.
function inTask(body) {
    return function (done) {
        const task = Cothread.spawn(body);
        Cothread.spawn(function* watch() {
            try {
                yield task;
            } catch (error) {
                fail(`${error}\n${error.stack}`);
            }
            done();
        });
    };
}

// Runs `body` in a task and a main loop of its own until it has ended; its result.
function runLoop(body) {
    const loop = new GLib.MainLoop(null, false);
    const task = Cothread.spawn(body);
    let result, failure = null;
    Cothread.spawn(function* watch() {
        try {
            result = yield task;
        } catch (error) {
            failure = error;
        }
        loop.quit();
    });
    loop.run();
    if (failure !== null)
        throw failure;
    return result;
}

// Waits until something has come true; for ten seconds.
function* eventually(condition) {
    const deadline = GLib.get_monotonic_time() + 10e6;
    while (!condition() && GLib.get_monotonic_time() < deadline)
        yield Cothread.sleep(2);
    expect(condition()).toBe(true);
}

// The error of a wait, which has to fail: yield* expectError(wait).
function* expectError(wait) {
    let value;
    try {
        value = yield wait;
    } catch (error) {
        return error;
    }
    throw new Error(`The wait did not fail, but gave ${value}`);
}

// What a program writes, and its exit status; with `import` it is a module.
function runProgram(text) {
    return runWith({}, text);
}

function runWith(environment, text) {
    const [file, stream] = Gio.File.new_tmp('cothread-XXXXXX.js');
    stream.output_stream.write_all(text, null);
    stream.close(null);
    const argv = ['gjs', ...text.includes('import Cothread') ? ['-m'] : [], file.get_path()];
    const launcher = Gio.SubprocessLauncher.new(Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
    for (const [name, value] of Object.entries(environment))
        launcher.setenv(name, value, true);
    const process = launcher.spawnv(argv);
    const [, stdout, stderr] = process.communicate_utf8(null, null);
    file.delete(null);
    return {stdout, stderr, status: process.get_if_exited() ? process.get_exit_status() : -process.get_term_sig()};
}
var programs = {run: runProgram, runWith};
