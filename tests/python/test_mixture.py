# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything at once, in an order that a seed decides: what is wrong about a stack shows as a wrong exception in
handling, a crash, or a task that does not end."""
import gc
import random
import sys
import threading
import time

import pytest

from gi.repository import Cothread, GLib, GObject

STEPS = 120
TASKS = 20
POSTS = 150


class Emitter(GObject.Object):
    __gsignals__ = {"ask": (GObject.SignalFlags.RUN_LAST, int, (int,))}


class Mixture:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.emitter = Emitter()
        self.events = [Cothread.Event(bool(i % 2)) for i in range(10)]
        self.queue = Cothread.EventQueue()
        self.steps = 0
        self.callbacks = 0
        self.emitter.connect("ask", self.answer)
        self.kinds = [
            self.pause, self.sleep, self.signal, self.wait, self.emit, self.generate, self.put, self.take, self.scope,
            self.limit, self.post, self.collect, self.cancel, self.open_loop, self.thread, self.through_c, self.handle]

    def step(self, depth):
        self.steps += 1
        kind = self.random.choice(self.kinds) if depth > 0 else self.pause
        kind(depth - 1)

    def answer(self, _, number):
        try:
            raise ValueError(number)
        except ValueError as error:
            try:
                self.step(number)
            except (Cothread.Cancelled, Cothread.TimedOut):
                pass  # PyGObject would print it
            assert sys.exc_info()[1] is error
        return number

    def pause(self, depth):
        Cothread.yield_()

    def sleep(self, depth):
        Cothread.sleep(self.random.random() * 0.002)

    def signal(self, depth):
        self.random.choice(self.events).signal(object())

    def wait(self, depth):
        try:
            self.random.choice(self.events).wait(self.random.random() * 0.002)
        except Cothread.TimedOut:
            pass

    def emit(self, depth):
        assert self.emitter.emit("ask", depth) == depth

    def generate(self, depth):
        def numbers():
            for i in range(2):
                self.step(depth)
                yield i

        assert list(numbers()) == [0, 1]

    def put(self, depth):
        self.queue.signal(depth)

    def take(self, depth):
        try:
            self.queue.wait(0.001)
        except Cothread.TimedOut:
            pass

    def scope(self, depth):
        fails = self.random.random() < 0.3
        try:
            with Cothread.Scope() as scope:
                for _ in range(2):
                    scope.spawn(self.step, depth)
                if fails:
                    scope.spawn(lambda: 1 / 0)
        except ZeroDivisionError:
            assert fails

    def limit(self, depth):
        try:
            with Cothread.timeout(0.003):
                self.step(depth)
                Cothread.sleep(0.002)
        except Cothread.TimedOut:
            pass

    def post(self, depth):
        Cothread.callback(self.called, depth)

    def called(self, depth):
        self.step(depth)
        self.callbacks += 1

    def collect(self, depth):
        gc.collect(0)

    def cancel(self, depth):
        task = Cothread.spawn(self.step, depth)
        Cothread.sleep(0)
        task.cancel()

    def open_loop(self, depth):
        if depth < 2:
            return
        loop = GLib.MainLoop()
        GLib.timeout_add(2, loop.quit)
        loop.run()

    def thread(self, depth):
        Cothread.run_in_thread(time.sleep, 0.001)

    def through_c(self, depth):
        assert sorted([2, 1], key=lambda number: self.step(depth) or number) == [1, 2]

    def handle(self, depth):
        try:
            {}[depth]
        except KeyError as error:
            self.step(depth)
            assert sys.exc_info()[1] is error


@pytest.mark.parametrize("seed", range(3))
def test_a_mixture_of_everything(seed):
    mixture = Mixture(seed)

    def work():
        for _ in range(STEPS):
            mixture.step(4)

    def post():
        for _ in range(POSTS):
            Cothread.callback(mixture.called, 2)
            time.sleep(0.0005)

    thread = threading.Thread(target=post)
    thread.start()
    tasks = [Cothread.spawn(work) for _ in range(TASKS)]
    for task in tasks:
        task.wait()
    while mixture.callbacks < POSTS:
        Cothread.sleep(0.001)
    thread.join()
    assert mixture.steps >= STEPS * TASKS


def test_a_mixture_that_is_cancelled_in_the_middle():
    mixture = Mixture(99)

    def work():
        while True:
            mixture.step(4)

    tasks = [Cothread.spawn(work) for _ in range(TASKS)]
    while mixture.steps < 1000:
        Cothread.sleep(0.001)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with pytest.raises(Cothread.Cancelled):
            task.wait(60)
