# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured, as each library's own users would write it. Every function does `n` of something and returns
the seconds that took."""
import asyncio
import collections
import threading
import time

clock = time.perf_counter


class ThroughCothread:
    """This library, from Python."""

    def __init__(self):
        import gi
        gi.require_version("Cothread", "1.0")
        from gi.repository import Cothread, GLib
        self.Cothread = Cothread
        self.GLib = GLib

    def _time(self, function, *args):
        """In a task, as the others are in theirs."""
        start = clock()
        self.Cothread.spawn(function, *args).wait()
        return clock() - start

    def spawn(self, n):
        spawn = self.Cothread.spawn

        def nothing():
            pass

        def run():
            for _ in range(n // 100):
                for task in [spawn(nothing) for _ in range(100)]:
                    task.wait()
        return self._time(run)

    def yields(self, n):
        yield_ = self.Cothread.yield_

        def run():
            for _ in range(n // 10):
                yield_()

        def all_of_them():
            for task in [self.Cothread.spawn(run) for _ in range(10)]:
                task.wait()
        return self._time(all_of_them)

    def events(self, n):
        there, back = self.Cothread.Event(), self.Cothread.Event()

        def ask():
            for _ in range(n):
                there.signal()
                back.wait()

        def answer():
            for _ in range(n):
                there.wait()
                back.signal()

        def both():
            for task in [self.Cothread.spawn(ask), self.Cothread.spawn(answer)]:
                task.wait()
        return self._time(both)

    def queues(self, n):
        there, back = self.Cothread.EventQueue(), self.Cothread.EventQueue()

        def ask():
            for i in range(n):
                there.signal(i)
                back.wait()

        def answer():
            for _ in range(n):
                back.signal(there.wait())

        def both():
            for task in [self.Cothread.spawn(ask), self.Cothread.spawn(answer)]:
                task.wait()
        return self._time(both)

    def callbacks(self, n):
        Cothread = self.Cothread
        done = Cothread.Event()
        queue = Cothread.Scheduler.get_default().get_callback_queue()
        queue.set_max_length(0)
        count = [0]

        def one():
            count[0] += 1
            if count[0] == n:
                done.signal()

        def post():
            callback = Cothread.callback
            for _ in range(n):
                callback(one)

        thread = threading.Thread(target=post)
        start = clock()
        thread.start()
        done.wait()
        taken = clock() - start
        thread.join()
        return taken

    def ticker(self, n):
        """How late a 5 ms ticker is at worst while n callbacks wait in the queue, in seconds."""
        Cothread, GLib = self.Cothread, self.GLib
        Cothread.Scheduler.get_default().get_callback_queue().set_max_length(0)
        return measure_ticker(GLib, lambda done: post_all(Cothread.callback, n, done))

    def idle_ticker(self, n):
        """The same for n milliseconds in which nothing happens: what the machine does to it."""
        return measure_ticker(self.GLib, lambda done: self.GLib.timeout_add(n, lambda: done()))


class ThroughDropIn:
    """This library, under the names of the original."""

    def __init__(self):
        import cothread
        self.cothread = cothread

    def _time(self, *functions):
        start = clock()
        self.cothread.WaitForAll([self.cothread.Spawn(function) for function in functions])
        return clock() - start

    def yields(self, n):
        Yield = self.cothread.Yield

        def run():
            for _ in range(n // 10):
                Yield()
        return self._time(*[run] * 10)

    def events(self, n):
        there, back = self.cothread.Event(), self.cothread.Event()

        def ask():
            for _ in range(n):
                there.Signal()
                back.Wait()

        def answer():
            for _ in range(n):
                there.Wait()
                back.Signal()
        return self._time(ask, answer)


def post_all(post, n, done):
    count = collections.Counter()

    def one():
        count["run"] += 1
        if count["run"] == n:
            done()

    for _ in range(n):
        post(one)


def measure_ticker(GLib, post):
    loop = GLib.MainLoop()
    worst = [0.0]
    due = [0.0]

    def tick():
        now = clock()
        worst[0] = max(worst[0], now - due[0])
        due[0] = now + 0.005
        return True

    def finished():
        GLib.idle_add(loop.quit)

    post(finished)
    due[0] = clock() + 0.005
    source = GLib.timeout_add(5, tick)
    loop.run()
    GLib.source_remove(source)
    return worst[0]


class ThroughAsyncio:
    """asyncio; with `glib` its loop is gbulb's."""

    def __init__(self, glib=False):
        self._glib = glib

    def _run(self, coroutine):
        start = clock()
        if not self._glib:
            asyncio.run(coroutine)
            return clock() - start
        import gbulb
        policy = gbulb.GLibEventLoopPolicy()
        loop = policy.new_event_loop()
        asyncio.set_event_loop(loop)
        start = clock()
        loop.run_until_complete(coroutine)
        taken = clock() - start
        loop.close()
        asyncio.set_event_loop(None)
        return taken

    def spawn(self, n):
        async def nothing():
            pass

        async def run():
            for _ in range(n // 100):
                for task in [asyncio.create_task(nothing()) for _ in range(100)]:
                    await task
        return self._run(run())

    def yields(self, n):
        async def run():
            for _ in range(n // 10):
                await asyncio.sleep(0)

        async def all_of_them():
            for task in [asyncio.create_task(run()) for _ in range(10)]:
                await task
        return self._run(all_of_them())

    def events(self, n):
        async def both():
            there, back = asyncio.Event(), asyncio.Event()

            async def ask():
                for _ in range(n):
                    there.set()
                    await back.wait()
                    back.clear()

            async def answer():
                for _ in range(n):
                    await there.wait()
                    there.clear()
                    back.set()

            for task in [asyncio.create_task(ask()), asyncio.create_task(answer())]:
                await task
        return self._run(both())

    def queues(self, n):
        async def both():
            there, back = asyncio.Queue(), asyncio.Queue()

            async def ask():
                for i in range(n):
                    there.put_nowait(i)
                    await back.get()

            async def answer():
                for _ in range(n):
                    back.put_nowait(await there.get())

            for task in [asyncio.create_task(ask()), asyncio.create_task(answer())]:
                await task
        return self._run(both())

    def callbacks(self, n):
        async def run():
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            count = [0]

            def one():
                count[0] += 1
                if count[0] == n:
                    done.set()

            def post():
                for _ in range(n):
                    loop.call_soon_threadsafe(one)

            thread = threading.Thread(target=post)
            thread.start()
            await done.wait()
            thread.join()
        return self._run(run())


    def ticker(self, n):
        """A ticker of its own while n handles wait."""
        async def run():
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            worst = 0.0
            post_all(loop.call_soon_threadsafe, n, done.set)
            while not done.is_set():
                due = clock() + 0.005
                await asyncio.sleep(0.005)
                worst = max(worst, clock() - due)
            return worst
        return asyncio.run(run())


class ThroughGevent:
    def spawn(self, n):
        import gevent

        def nothing():
            pass

        start = clock()
        for _ in range(n // 100):
            gevent.joinall([gevent.spawn(nothing) for _ in range(100)])
        return clock() - start

    def yields(self, n):
        import gevent

        def run():
            for _ in range(n // 10):
                gevent.sleep(0)

        start = clock()
        gevent.joinall([gevent.spawn(run) for _ in range(10)])
        return clock() - start


class ThroughGLib:
    """Threads and GLib.idle_add()."""

    def ticker(self, n):
        def post(function):
            self.GLib.idle_add(function)  # that returns None is enough

        return measure_ticker(self.GLib, lambda done: post_all(post, n, done))

    def __init__(self):
        from gi.repository import GLib
        self.GLib = GLib

    def callbacks(self, n):
        loop = self.GLib.MainLoop()
        count = [0]

        def one():
            count[0] += 1
            if count[0] == n:
                loop.quit()
            return False

        def post():
            for _ in range(n):
                self.GLib.idle_add(one)

        thread = threading.Thread(target=post)
        start = clock()
        thread.start()
        loop.run()
        taken = clock() - start
        thread.join()
        return taken
