# SPDX-License-Identifier: LGPL-2.1-or-later
"""asyncio both ways, with its loop on GLib's: gbulb's, or that of PyGObject 3.50 and later."""
import asyncio

import pytest

from gi.repository import Cothread, GLib

try:
    from gi.events import GLibEventLoopPolicy as NewPolicy
except ImportError:
    NewPolicy = None
try:
    from gbulb import GLibEventLoopPolicy as BulbPolicy
except ImportError:
    BulbPolicy = None

from loop_in_glib import LoopInGLib

LOOPS = {
    "gbulb": BulbPolicy and (lambda: BulbPolicy().new_event_loop()),
    # Of gi.events a new loop has a new context; that of the thread has the thread's.
    "gi.events": NewPolicy and (lambda: NewPolicy().get_event_loop()),
    "a loop in GLib": LoopInGLib,
}


@pytest.fixture(params=[name for name, make in LOOPS.items() if make])
def loop(request):
    loop = LOOPS[request.param]()
    yield loop
    loop.close()


@pytest.fixture
def run(loop):
    """Runs a coroutine to its end in a loop of its own."""
    return lambda coroutine: loop.run_until_complete(asyncio.wait_for(coroutine, 60))


def test_a_coroutine_awaits_a_task(run):
    def work(number):
        Cothread.sleep(0.001)
        return 2 * number

    async def main():
        return await Cothread.spawn(work, 21), await asyncio.gather(*[as_coroutine(Cothread.spawn(work, i)) for i in range(5)])

    async def as_coroutine(task):
        return await task

    assert run(main()) == (42, [0, 2, 4, 6, 8])


def test_a_coroutine_awaits_every_waitable(run):
    event, queue, pulse = Cothread.Event(), Cothread.EventQueue(), Cothread.Pulse()

    def signal():
        Cothread.sleep(0.005)
        event.signal("event")
        queue.signal("item")
        while pulse.signal() == 0:  # nobody waits yet
            Cothread.sleep(0.001)

    async def main():
        Cothread.spawn(signal)
        values = [await event, await queue]
        await pulse
        return values

    assert run(main()) == ["event", "item"]


def test_coroutines_share_a_semaphore_with_tasks(run):
    semaphore = Cothread.Semaphore(2)
    inside = []

    async def coroutine():
        assert await semaphore is True
        inside.append(semaphore.available)
        await asyncio.sleep(0.001)
        semaphore.release()

    def task():
        with semaphore:
            inside.append(semaphore.available)
            Cothread.sleep(0.001)

    async def main():
        tasks = [Cothread.spawn(task) for _ in range(5)]
        await asyncio.gather(*[coroutine() for _ in range(5)])
        for one in tasks:
            await one

    run(main())
    assert len(inside) == 10 and max(inside) <= 1 and semaphore.available == 2


def test_a_loop_that_is_not_glibs_is_refused_instead_of_hanging():
    async def main():
        with pytest.raises(RuntimeError, match="gi.events"):
            await Cothread.Event()
        with pytest.raises(RuntimeError, match="gi.events"):
            await Cothread.spawn(int)

    asyncio.run(main())


def test_a_main_loop_that_the_program_runs_itself(loop):
    """As Gtk.Application.run() does with PyGObject 3.50: asyncio's loop counts as running meanwhile."""
    if not hasattr(loop, "running"):
        pytest.skip("only of loops that are part of the main context")
    main = GLib.MainLoop()
    seen = []

    async def answer(number):
        await asyncio.sleep(0.001)
        return number

    def work():
        seen.append(Cothread.await_(answer(7)))
        main.quit()

    with loop.running(main.quit):
        Cothread.spawn(work)
        main.run()
    assert seen == [7]


def test_exceptions_reach_the_coroutine(run):
    async def main():
        with pytest.raises(ZeroDivisionError):
            await Cothread.spawn(lambda: 1 / 0)
        event = Cothread.Event()
        event.signal_exception(KeyError("key"))
        with pytest.raises(KeyError):
            await event
        cancelled = Cothread.spawn(Cothread.sleep, 60)
        cancelled.cancel()
        with pytest.raises(Cothread.Cancelled):
            await cancelled

    run(main())


def test_a_coroutine_that_stops_waiting_leaves_no_task(run):
    event = Cothread.Event()

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(as_coroutine(), 0.01)
        while Cothread.tasks():
            await asyncio.sleep(0.001)

    async def as_coroutine():
        await event

    run(main())
    assert Cothread.tasks() == []


def test_a_task_waits_for_a_coroutine(run):
    async def answer(number):
        await asyncio.sleep(0.001)
        return number

    async def fail():
        await asyncio.sleep(0)
        raise KeyError("key")

    def work():
        with pytest.raises(KeyError):
            Cothread.await_(fail())
        with pytest.raises(Cothread.TimedOut):
            Cothread.await_(asyncio.sleep(60), timeout=0.001)
        return [Cothread.await_(answer(i)) for i in range(5)]

    async def main():
        return await Cothread.spawn(work)

    assert run(main()) == [0, 1, 2, 3, 4]


def test_cancelling_the_task_cancels_the_coroutine(run):
    seen = []

    async def forever():
        seen.append("begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def main():
        task = Cothread.spawn(Cothread.await_, forever())
        while not seen:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(Cothread.Cancelled):
            await task
        while len(seen) < 2:
            await asyncio.sleep(0.001)

    run(main())
    assert seen == ["begun", "cancelled"]


def test_tasks_and_coroutines_call_each_other_deeply(run):
    async def coroutine(depth):
        return depth if depth == 0 else await Cothread.spawn(task, depth - 1) + 1

    def task(depth):
        return depth if depth == 0 else Cothread.await_(coroutine(depth - 1)) + 1

    assert run(coroutine(20)) == 20


def test_awaiting_without_a_loop_is_an_exception():
    async def main():
        await Cothread.Event()

    with pytest.raises(RuntimeError):
        main().send(None)

    async def nothing():
        pass

    coroutine = nothing()
    with pytest.raises(RuntimeError):
        Cothread.spawn(Cothread.await_, coroutine).wait()
    coroutine.close()
