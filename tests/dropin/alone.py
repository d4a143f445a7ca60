# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests in an interpreter that has neither pytest nor PyGObject: `python alone.py [--path FOLDER]... [FILE]...`."""
import gc
import glob
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def hang(*_):
    raise TimeoutError("the test does not end")


def check_that_no_tasks_are_left():
    import _cothread
    for task in _cothread.tasks():
        task.cancel()
    for _ in range(100):
        if not _cothread.tasks():
            break
        _cothread.sleep(0)
    assert _cothread.tasks() == []


def main(arguments):
    while arguments and arguments[0] == "--path":
        sys.path.insert(0, arguments[1])
        # Also for the programs that the tests run.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [arguments[1], os.environ.get("PYTHONPATH")]))
        del arguments[:2]
    sys.path.insert(0, HERE)
    count = 0
    for path in arguments or sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, test in list(vars(module).items()):
            if name.startswith("test_") and callable(test):
                print(module.__name__, name, flush=True)
                test()
                check_that_no_tasks_are_left()
                gc.collect()
                count += 1
    print(count, "tests", sys.version.split()[0])


if __name__ == "__main__":
    main(sys.argv[1:])
