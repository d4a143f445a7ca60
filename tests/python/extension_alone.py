# SPDX-License-Identifier: LGPL-2.1-or-later
"""The extension in an interpreter that has neither PyGObject nor pytest: `python extension_alone.py FOLDER
[TEST-TO-LEAVE-OUT...]`."""
import contextvars
import gc
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import _cothread as c  # noqa: E402


def raises(kind, function, *args):
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError(f"{function} did not raise {kind}")


def test_results_and_order():
    order = []
    tasks = [c.spawn(lambda i=i: order.append(i) or c.sleep(0.001 * (5 - i)) or 2 * i) for i in range(5)]
    assert [task.wait() for task in tasks] == [0, 2, 4, 6, 8] and order == list(range(5))


def test_the_exception_in_handling_is_the_tasks_own():
    def work(number):
        try:
            raise ValueError(number)
        except ValueError as error:
            for _ in range(10):
                c.yield_()
                assert sys.exc_info()[1] is error
        c.sleep(0)
        assert sys.exc_info()[1] is None
        raise KeyError(number)

    tasks = [c.spawn(work, i) for i in range(20)]
    assert [raises(KeyError, task.wait).args for task in tasks] == [(i,) for i in range(20)]


def test_context_variables():
    variable = contextvars.ContextVar("variable")
    variable.set("main")

    def work(number):
        assert variable.get() == "main"
        variable.set(number)
        for _ in range(5):
            c.yield_()
        return variable.get()

    tasks = [c.spawn(work, i) for i in range(10)]
    assert [task.wait() for task in tasks] == list(range(10)) and variable.get() == "main"


def test_recursion():
    def recurse(n):
        if n == 0:
            c.sleep(0)
            return 0
        return 1 + recurse(n - 1)

    tasks = [c.spawn(recurse, 60 * i) for i in range(15)]
    assert [task.wait() for task in tasks] == [60 * i for i in range(15)]
    raises(RecursionError, c.spawn(recurse, 100000).wait)

    def through_c(n):
        return n == 0 or max([n], key=lambda _: through_c(n - 1))

    raises(RecursionError, c.spawn(through_c, 100000).wait)
    raises(RecursionError, c.spawn_task(through_c, (100000,), None, None, 64 * 1024).wait)


def test_generators_cross_tasks():
    def numbers():
        yield 1
        c.sleep(0)
        try:
            raise ValueError
        except ValueError:
            yield 2
        yield 3

    generator = numbers()
    assert [c.spawn(next, generator).wait(), next(generator), c.spawn(next, generator).wait()] == [1, 2, 3]


def test_thread_local_data_are_the_threads():
    local = threading.local()
    local.value = 1

    def work():
        c.yield_()
        if sys.version_info >= (3, 13):  # there they are the thread state's, and that is the task's
            assert not hasattr(local, "value")
            local.value = 7
            local_of_main.append(local)
            return True
        local.value += 1
        return threading.current_thread() is threading.main_thread()

    local_of_main = []
    assert c.spawn(work).wait() and local.value == (1 if local_of_main else 2)


def test_callbacks_from_threads_that_hold_the_interpreter():
    seen, stop = [], []

    def slow(number):
        c.sleep(0)
        seen.append(number)

    def post():
        for i in range(3000):
            c.callback(slow if i % 10 == 0 else seen.append, i)

    def spin():
        while not stop:
            pass

    threads = [threading.Thread(target=post), threading.Thread(target=spin)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    while len(seen) < 3000 and time.monotonic() < end:
        c.sleep(0.001)
    stop.append(1)
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(3000))


def test_events_and_queues():
    event, queue = c.Event(), c.EventQueue(3)
    taker = c.spawn(list, queue)
    c.spawn(lambda: [queue.signal(i) for i in range(3)] and queue.close())
    waiter = c.spawn(event.wait)
    c.sleep(0)
    event.signal("value")
    assert (taker.wait(), waiter.wait()) == ([0, 1, 2], "value")
    raises(c.TimedOut, event.wait, 0.001)
    assert c.wait_any([event, c.spawn(lambda: 7)]) == (1, 7)


def test_cancelling_and_frames():
    unwound = []

    def work():
        try:
            c.sleep(None)
        finally:
            unwound.append(1)

    task = c.spawn(work)
    never = c.spawn(work)
    never.cancel()
    c.sleep(0)
    assert task.get_frame().f_code.co_name == "work"
    task.cancel()
    raises(c.Cancelled, task.wait)
    raises(c.Cancelled, never.wait)
    assert unwound == [1]


def test_collections_while_tasks_are_parked():
    tasks = [c.spawn(lambda: c.sleep(0.01) or [object() for _ in range(10)]) for _ in range(100)]
    c.sleep(0)
    gc.collect()
    for task in tasks:
        task.wait()
    gc.collect()


def test_another_thread_has_tasks_of_its_own_or_a_clear_exception():
    errors = []
    thread = threading.Thread(target=lambda: errors.append(raises(c.WrongContext, c.sleep, 0)))
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_the_module_imported_anew_is_the_same():
    del sys.modules["_cothread"]
    import _cothread as again
    assert again.Task is c.Task and again.spawn(lambda: c.spawn(int).wait()).wait() == 0
    sys.modules["_cothread"] = c


def test_a_subinterpreter_is_refused():
    import importlib
    for module in "_interpreters", "_xxsubinterpreters":
        try:
            interpreters = importlib.import_module(module)
            break
        except ImportError:
            pass
    else:
        return
    other = interpreters.create()
    text = f"""
import sys
sys.path.insert(0, {sys.argv[1]!r})
try:
    import _cothread
except ImportError as error:
    assert "subinterpreter" in str(error), error
else:
    raise AssertionError("it was imported")
"""
    failure = interpreters.run_string(other, text)
    assert failure is None, failure
    interpreters.destroy(other)


for name, test in list(globals().items()):
    if name.startswith("test_") and name not in sys.argv[2:]:
        print(name, flush=True)
        test()
last = []
c.spawn(lambda: [c.sleep(None)]).get_frame()
unfinished = c.spawn_task(test_results_and_order, ())
c.shut_down()
assert unfinished.done
print("done", sys.version.split()[0])
