// SPDX-License-Identifier: LGPL-2.1-or-later
// What the GJS override adds to the namespace. ts-for-gir types the rest from the
// GIR; make-types, beside this file, has it leave out what is replaced here.

import type GLib from 'gi://GLib?version=2.0';
import type Gio from 'gi://Gio?version=2.0';

declare module 'gi://Cothread?version=1.0' {
    export namespace Cothread {
        /** A wait: yield it in a generator task, or await it. */
        interface Wait<T> extends PromiseLike<T> {
            catch<R = never>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>;
            finally(onFinally?: (() => void) | null): Promise<T>;
        }

        type Waitable<T> = Wait<T> | ScriptTask<T> | PromiseLike<T> | (T extends void ? Task : never);
        type Result<W> = W extends PromiseLike<infer T> ? T : W extends Task ? void : never;

        /** What spawn() gives. */
        interface ScriptTask<T> extends Wait<T> {
            name: string;
            /** Where it was spawned: file and line. */
            readonly location: string;
            readonly state: 'ready' | 'running' | 'waiting' | 'finished';
            readonly finished: boolean;
            readonly cancelled: boolean;
            /** The task as C and Python see it; null once it has finished. */
            readonly handle: Task | null;
            readonly cancellable: Gio.Cancellable;
            cancel(): void;
            join(timeout?: number): Wait<T>;
            /** For an async function that has awaited a promise of others. */
            wait<R>(wait: Waitable<R>): Wait<R>;
        }

        type Body<T> =
            | ((task: ScriptTask<T>) => Generator<any, T, any>)
            | ((task: ScriptTask<T>) => PromiseLike<T>)
            | ((task: ScriptTask<T>) => T);

        interface NameOptions {
            name?: string;
        }

        function spawn<T>(fn: (task: ScriptTask<T>) => Generator<any, T, any>, options?: NameOptions): ScriptTask<T>;
        function spawn<T>(fn: (task: ScriptTask<T>) => PromiseLike<T>, options?: NameOptions): ScriptTask<T>;
        function spawn<T>(fn: (task: ScriptTask<T>) => T, options?: NameOptions): ScriptTask<T>;

        /** The running task. */
        const current: ScriptTask<unknown> | null;

        /** Times are in milliseconds. */
        function sleep(ms: number): Wait<void>;
        function yield(): Wait<void>;
        function timeout<T>(ms: number, wait: Waitable<T>): Wait<T>;
        function waitAny<W extends readonly (PromiseLike<any> | Task)[]>(waits: W): Wait<{index: number, value: Result<W[number]>}>;
        function all<W extends readonly (PromiseLike<any> | Task)[]>(waits: readonly [...W]): Wait<{-readonly [K in keyof W]: Result<W[K]>}>;
        function promise<T>(promise: PromiseLike<T>): Wait<T>;
        function waitDescriptor(fd: number, condition: GLib.IOCondition, timeout?: number): Wait<GLib.IOCondition>;
        function callback<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): void;
        function scope<T>(body: (scope: Scope) => Generator<any, T, any>): Generator<any, T, any>;

        class Scope {
            readonly size: number;
            spawn<T>(fn: (task: ScriptTask<T>) => Generator<any, T, any>, options?: NameOptions): ScriptTask<T>;
            spawn<T>(fn: (task: ScriptTask<T>) => PromiseLike<T>, options?: NameOptions): ScriptTask<T>;
            spawn<T>(fn: (task: ScriptTask<T>) => T, options?: NameOptions): ScriptTask<T>;
            cancel(): void;
            join(timeout?: number): Wait<void>;
            close(timeout?: number): Wait<void>;
        }

        class EventQueue<T = unknown> implements AsyncIterable<T> {
            constructor(maxLength?: number);
            readonly length: number;
            readonly maxLength: number;
            readonly closed: boolean;
            /** False: there was no room. */
            signal(item: T): boolean;
            wait(timeout?: number): Wait<T>;
            next(timeout?: number): Wait<IteratorResult<T, undefined>>;
            close(): void;
            reset(): void;
            [Symbol.asyncIterator](): AsyncIterator<T>;
        }

        class Timer {
            constructor(timeout: number, callback: (timer: Timer) => unknown, options?: {retrigger?: boolean, reuse?: boolean});
            readonly pending: boolean;
            cancel(): void;
            reset(timeout?: number | null): void;
        }

        interface Event {
            wait(timeout?: number): Wait<any>;
            signal(value?: unknown): void;
            reset(): void;
        }

        /** A task of any language. */
        interface Task {
            join(timeout?: number): Wait<void>;
        }
    }
}
