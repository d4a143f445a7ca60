// SPDX-License-Identifier: LGPL-2.1-or-later
// Has to be accepted: tsc --strict --noEmit --target es2022 tests/gjs/types.ts
import * as Cothread from '../../introspection/gjs/cothread';

const task: Cothread.Task<number> = Cothread.spawn(function* () {
    yield Cothread.sleep(1);
    return 1;
}, {name: 'one'});
const other: Cothread.Task<string> = Cothread.spawn(async () => 'text');
const queue = new Cothread.EventQueue<number>(10);

export async function use(): Promise<number> {
    const [n, text] = await Cothread.all([task, other] as const);
    const {value} = await Cothread.waitAny([queue.wait(), task]);
    for await (const item of queue)
        queue.signal(item + n + text.length);
    // @ts-expect-error what is sent has to fit
    queue.signal('text');
    // @ts-expect-error not a function
    Cothread.spawn(5);
    await Cothread.timeout(5, Promise.resolve());
    return value;
}
