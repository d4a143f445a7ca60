# SPDX-License-Identifier: LGPL-2.1-or-later
"""An asyncio loop of the kind that PyGObject has since 3.50 (gi.events): asyncio's own, each round of which is the
dispatch of one source of the main context, and which counts as running for as long as the context is iterated.
Where gi.events is, the tests use that, too."""
import asyncio
import contextlib
import threading

from gi.repository import GLib


class _Source(GLib.Source):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop
        self._tag = self.add_unix_fd(loop.poll_fd, GLib.IOCondition.IN)

    def prepare(self):
        wait = self._loop.seconds_to_wait()
        return wait == 0, -1 if wait is None else int(wait * 1000)

    def check(self):
        return self._loop.seconds_to_wait() == 0 or self.query_unix_fd(self._tag) != 0

    def dispatch(self, callback, args):
        self._loop.run_round()
        return GLib.SOURCE_CONTINUE


class LoopInGLib(asyncio.SelectorEventLoop):
    @property
    def poll_fd(self):
        return self._selector.fileno()

    def seconds_to_wait(self):
        if self._ready:
            return 0
        return max(0, self._scheduled[0].when() - self.time()) if self._scheduled else None

    def run_round(self):
        select = self._selector.select
        self._selector.select = lambda timeout=None: select(0)
        try:
            self._run_once()
        finally:
            del self._selector.select

    @contextlib.contextmanager
    def running(self, quit):
        """For code that iterates the main context by itself; stop() calls `quit`."""
        self._quit = quit
        source = _Source(self)
        self._thread_id = threading.get_ident()
        asyncio._set_running_loop(self)
        source.attach(None)
        try:
            yield
        finally:
            source.destroy()
            asyncio._set_running_loop(None)
            self._thread_id = None
            self._stopping = False

    def run_forever(self):
        main = GLib.MainLoop()
        with self.running(main.quit):
            main.run()

    def stop(self):
        super().stop()
        self._quit()
