// SPDX-License-Identifier: LGPL-2.1-or-later
// Has to be accepted by tsc; what follows @ts-expect-error has to be refused.
import Cothread from 'gi://Cothread?version=1.0';

const task: Cothread.ScriptTask<number> = Cothread.spawn(function* () {
    yield;
    yield Cothread.sleep(1);
    yield Cothread.yield();
    return 1;
}, {name: 'one'});
const other: Cothread.ScriptTask<string> = Cothread.spawn(async () => 'text');
const plain: Cothread.ScriptTask<boolean> = Cothread.spawn(() => true);
const queue = new Cothread.EventQueue<number>(10);
const event = Cothread.Event.new(true);

export async function use(): Promise<number> {
    const [n, text, flag] = await Cothread.all([task, other, plain]);
    const {value} = await Cothread.waitAny([queue.wait(), task]);
    for await (const item of queue)
        queue.signal(item + n + text.length + (flag ? 1 : 0));
    event.signal({any: 'thing'});
    await event.wait(100);
    await Cothread.timeout(5, Promise.resolve());
    const {done} = await queue.next();
    if (done)
        queue.close();
    return value;
}

export function* inGenerator(self: Cothread.ScriptTask<number>) {
    const scope = new Cothread.Scope();
    const child: Cothread.ScriptTask<string> = scope.spawn(function* () {
        yield self.join(10);
        return 'child';
    });
    yield child;
    yield scope.close();
    const result: string = yield* Cothread.scope(function* (inner) {
        yield inner.spawn(async () => 5);
        return 'left';
    });
    const timer = new Cothread.Timer(100, t => t.cancel(), {retrigger: true});
    timer.reset(null);
    Cothread.callback((a: number, b: string) => `${a}${b}`, 5, 'b');
    if (self.handle !== null)
        yield self.handle.join();
    for (const t of Cothread.Scheduler.get_default().list_tasks())
        t.cancel();
    return result.length + self.name.length + self.location.length;
}

// What a program may get wrong:

// @ts-expect-error what is sent has to fit
queue.signal('text');
// @ts-expect-error not a function
Cothread.spawn(5);
// @ts-expect-error a generator in place of its function
Cothread.spawn(inGenerator(task));
// @ts-expect-error a time is a number
Cothread.sleep('soon');
// @ts-expect-error the result is a number
export const wrong: Cothread.ScriptTask<string> = task;
// @ts-expect-error not something to wait for
Cothread.waitAny([5]);
// @ts-expect-error not something to wait for
Cothread.timeout(5, 5);
// @ts-expect-error the function takes a number
Cothread.callback((a: number) => a, 'text');
// @ts-expect-error read only
task.finished = true;
// @ts-expect-error nothing tells whether a task has ended but that
task.isFinished();
// @ts-expect-error how many is a number
new Cothread.EventQueue('many');
// @ts-expect-error a timer calls a function
new Cothread.Timer(5, 5);
