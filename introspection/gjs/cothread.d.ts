// SPDX-License-Identifier: LGPL-2.1-or-later
// What the GJS override adds to the namespace. ts-for-gir types the rest from the
// GIR; where both have a name, this one is right in GJS.

export type Waitable<T> = Wait<T> | Task<T> | PromiseLike<T>;
type Result<W> = W extends Wait<infer T> ? T : W extends Task<infer T> ? T : W extends PromiseLike<infer T> ? T : never;

/** A wait: yield it in a generator task, or await it. */
export interface Wait<T> extends PromiseLike<T> {
    catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>;
    finally(onFinally?: (() => void) | null): Promise<T>;
}

/** What spawn() gives. */
export interface Task<T> extends PromiseLike<T> {
    name: string;
    readonly location: string;
    readonly state: 'ready' | 'running' | 'waiting' | 'finished';
    readonly finished: boolean;
    readonly cancelled: boolean;
    readonly handle: unknown;
    readonly cancellable: unknown;
    cancel(): void;
    join(timeout?: number): Wait<T>;
    wait<R>(wait: Waitable<R>): Wait<R>;
    catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>;
    finally(onFinally?: (() => void) | null): Promise<T>;
}

export type Body<T> =
    | ((task: Task<T>) => Generator<unknown, T, any>)
    | ((task: Task<T>) => PromiseLike<T>)
    | ((task: Task<T>) => T);

export interface SpawnOptions {
    name?: string;
}

export function spawn<T>(fn: (task: Task<T>) => Generator<unknown, T, any>, options?: SpawnOptions): Task<T>;
export function spawn<T>(fn: (task: Task<T>) => PromiseLike<T>, options?: SpawnOptions): Task<T>;
export function spawn<T>(fn: (task: Task<T>) => T, options?: SpawnOptions): Task<T>;

declare const current: Task<unknown> | null;
export {current};

export function sleep(ms: number): Wait<void>;
declare function yieldOnce(): Wait<void>;
export {yieldOnce as yield};
export function timeout<T>(ms: number, wait: Waitable<T>): Wait<T>;
export function waitAny<W extends readonly Waitable<any>[]>(waits: W): Wait<{index: number, value: Result<W[number]>}>;
export function all<W extends readonly Waitable<any>[]>(waits: W): Wait<{[K in keyof W]: Result<W[K]>}>;
export function promise<T>(promise: PromiseLike<T>): Wait<T>;
export function waitDescriptor(fd: number, condition: number, timeout?: number): Wait<number>;
export function callback<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): void;
export function scope<T>(body: (scope: Scope) => Generator<unknown, T, any>): Generator<unknown, T, any>;

export class Scope {
    readonly size: number;
    spawn<T>(fn: Body<T>, options?: SpawnOptions): Task<T>;
    cancel(): void;
    join(timeout?: number): Wait<void>;
    close(timeout?: number): Wait<void>;
}

export class EventQueue<T = unknown> implements AsyncIterable<T> {
    constructor(maxLength?: number);
    readonly length: number;
    readonly maxLength: number;
    readonly closed: boolean;
    signal(item: T): boolean;
    wait(timeout?: number): Wait<T>;
    next(timeout?: number): Wait<IteratorResult<T, undefined>>;
    close(): void;
    reset(): void;
    [Symbol.asyncIterator](): AsyncIterator<T>;
}

export class Timer {
    constructor(timeout: number, callback: (timer: Timer) => unknown, options?: {retrigger?: boolean, reuse?: boolean});
    readonly pending: boolean;
    cancel(): void;
    reset(timeout?: number | null): void;
}
