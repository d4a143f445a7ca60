# SPDX-License-Identifier: LGPL-2.1-or-later
"""Not run: mypy has to find these types, and the one mistake."""
import os

import gi

gi.require_version("Cothread", "1.0")
from gi.repository import Cothread, GLib  # noqa: E402


@Cothread.task
def double(number: int) -> int:
    with Cothread.timeout(5) as limit:
        Cothread.sleep(0.1)
    return 0 if limit.expired else 2 * number


def main() -> None:
    total: int = double(21).wait() + Cothread.spawn(len, "text").wait(timeout=(1.0,))
    name: str = double(1).name
    which, value = Cothread.wait_any([Cothread.Event(), Cothread.Pulse(), (0, 1)], 1)
    with Cothread.RLock(), Cothread.Scope() as scope:
        text: str = scope.spawn(str, total).wait()
    Cothread.callback(print, text, name, which, value)
    Cothread.Timer(1, print, "later", retrigger=True).cancel()
    rest: int = Cothread.run_in_thread(os.getpid)
    GLib.idle_add(lambda: rest)
    double("text")  # type: ignore[arg-type]


async def other() -> int:
    return await double(3)
