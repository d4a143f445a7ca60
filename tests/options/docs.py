# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reference has a page for each class and each concept, with its text."""
import pathlib
import sys

docs = pathlib.Path(sys.argv[1])
expected = {
    "class.Scheduler.html": "Runs the tasks of one thread",
    "class.CallbackQueue.html": "bounded, in order",
    "class.Event.html": "Something that happens",
    "struct.Task.html": "A cooperative thread",
    "func.sleep.html": "Suspends the calling task",
    "method.Task.cancel.html": "Cancels a task",
    "scheduler.html": "seven places where control changes stacks",
    "fairness.html": "minimum-share",
    "callbacks.html": "COTHREAD_CALLBACK_MAY_WAIT",
    "stacks.html": "guard page",
}
missing = [
    name
    for name, text in expected.items()
    if not (docs / name).is_file() or text not in (docs / name).read_text()
]
for name in missing:
    print(f"missing or without its text: {name}")
sys.exit(1 if missing else 0)
