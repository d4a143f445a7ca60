# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory does not grow with use, and what nobody can reach is collected."""
import gc
import sys
import weakref

import pytest

from gi.repository import Cothread

ROUNDS = 200


def spawn_and_wait():
    Cothread.spawn(lambda: Cothread.sleep(0)).wait()


def fail_and_see():
    task = Cothread.spawn(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        task.wait()


def cancel_before_and_after():
    for begins in (False, True):
        task = Cothread.spawn(Cothread.sleep, 60)
        if begins:
            Cothread.sleep(0)
        task.cancel()
        with pytest.raises(Cothread.Cancelled):
            task.wait()


def events():
    event = Cothread.Event()
    event.signal(object())
    event.signal(object())
    event.wait()
    event.signal_exception(KeyError())
    with pytest.raises(KeyError):
        event.wait()
    with pytest.raises(Cothread.TimedOut):
        event.wait(0)


def queues():
    queue = Cothread.EventQueue(2)
    taker = Cothread.spawn(list, queue)
    Cothread.sleep(0)
    for _ in range(4):
        queue.signal(object())
    Cothread.sleep(0)
    queue.close()
    taker.wait()


def locks():
    with Cothread.RLock(), Cothread.Semaphore():
        Cothread.sleep(0)


def scopes():
    with pytest.raises(ZeroDivisionError):
        with Cothread.Scope() as scope:
            scope.spawn(Cothread.sleep, 60)
            scope.spawn(lambda: 1 / 0)


def timers():
    Cothread.Timer(60, print).cancel()
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0):
            Cothread.sleep(60)
    Cothread.sleep(0)


def any_of_several():
    with pytest.raises(Cothread.TimedOut):
        Cothread.wait_any([Cothread.Event(), Cothread.Pulse(), Cothread.EventQueue(), Cothread.spawn(int)][:3], 0)
    Cothread.wait_any([Cothread.Event(), Cothread.spawn(int)])


def callbacks():
    done = Cothread.Event()

    def called_back(value):
        Cothread.sleep(0)
        done.signal(value)

    Cothread.callback(called_back, object())
    done.wait()


def dumps():
    task = Cothread.spawn(Cothread.sleep, 60)
    Cothread.sleep(0)
    assert task.get_frame() is None or task.get_frame().f_lineno
    Cothread.Scheduler.get_default().dump_json(Cothread.DumpFlags.BACKTRACES, 0)
    repr(task)
    task.cancel()
    Cothread.sleep(0)


def wrong_use():
    for call in (lambda: Cothread.spawn(1), lambda: Cothread.sleep("1"), lambda: Cothread.Event().wait([]),
                 lambda: Cothread.wait_any([1]), lambda: Cothread.callback(), lambda: Cothread.EventQueue(-1)):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            call()


def suspend_in_except():
    def work():
        try:
            raise ValueError
        except ValueError:
            Cothread.sleep(0)
            return sys.exc_info()[1]

    Cothread.spawn(work).wait()


USES = [spawn_and_wait, fail_and_see, cancel_before_and_after, events, queues, locks, scopes, timers, any_of_several,
        callbacks, dumps, wrong_use, suspend_in_except]


def settle():
    for _ in range(5):
        Cothread.sleep(0)
    gc.collect()


@pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)
def test_it_leaves_no_references_behind(use):
    """Neither objects nor blocks of memory."""
    def measure():
        settle()
        # The total of all references means nothing here: the extension was not built to count its own.
        return sys.getallocatedblocks(), len(gc.get_objects())

    for _ in range(30):
        use()
    before = measure()
    for _ in range(ROUNDS):
        use()
    grown = [after - was for after, was in zip(measure(), before)]
    # One left by each use would be 200.
    assert max(grown) < ROUNDS // 2, grown


class Owner:
    pass


@pytest.mark.parametrize("make", [
    lambda owner: owner.waits.signal(owner), lambda owner: owner.queue.signal(owner), lambda owner: owner.queue.signal(owner.__init__),
    lambda owner: owner.latched.signal(owner), lambda owner: owner.waits.signal_exception(KeyError(owner)),
    lambda owner: setattr(owner, "task", Cothread.spawn(lambda: owner)),
    lambda owner: owner.queue.signal(owner.queue) or owner.waits.signal(owner.waits)],
    ids=["event", "queue", "method in a queue", "latched event", "exception", "task", "itself"])
def test_circles_through_waitables_are_collected(make):
    owner = Owner()
    owner.waits, owner.latched, owner.queue = Cothread.Event(), Cothread.Event(False), Cothread.EventQueue()
    make(owner)
    settle()
    alive = weakref.ref(owner)
    del owner
    settle()
    assert alive() is None


def test_what_a_waiting_task_can_reach_is_not_collected():
    owner = Owner()
    owner.waits, owner.queue = Cothread.Event(), Cothread.EventQueue()
    owner.queue.signal(owner)
    alive = weakref.ref(owner)
    task = Cothread.spawn(owner.waits.wait)
    Cothread.sleep(0)
    event = owner.waits
    del owner
    settle()
    assert alive() is None or alive().queue is not None
    event.signal("reached")
    assert task.wait() == "reached"


def test_collections_in_other_threads_leave_queues_alone():
    import threading
    queue = Cothread.EventQueue()
    stop = threading.Event()

    def collect():
        while not stop.is_set():
            gc.collect()

    thread = threading.Thread(target=collect)
    thread.start()
    taker = Cothread.spawn(lambda: [queue.wait()[0] for _ in range(300)])
    for i in range(300):
        queue.signal([i])
        if i % 3 == 0:
            Cothread.sleep(0)
    assert taker.wait(60) == list(range(300))
    stop.set()
    thread.join()
