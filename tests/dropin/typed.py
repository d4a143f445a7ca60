# SPDX-License-Identifier: LGPL-2.1-or-later
"""Not run: mypy has to find these types, and the mistakes."""
import cothread
from cothread import coselect, coserver, cosocket


def work(number: int) -> int:
    cothread.Sleep(0.1)
    return number


task = cothread.Spawn(work, 3, raise_on_wait=True, stack_size=100000)
has_ended: bool = bool(task)
task.Wait((1.0,))
event = cothread.Event(auto_reset=False)
event.Signal("x")
event.SignalException(ValueError())
full: bool = cothread.EventQueue(3).Signal(1)
pairs: list[tuple[int, int]] = cothread.poll_list([(1, cothread.POLLIN)], 1)
cothread.Timer(1, lambda: None, retrigger=True).reset(None)
descriptor: int = cothread.ThreadedEventQueue().wait_descriptor
deadline: tuple[float | None] | None = cothread.AbsTimeout(3)
cothread.Callback(print, 1)
cothread.WaitForAll([task, event], timeout=3)
text: bytes = cosocket.create_connection(("localhost", 1), timeout=3).recv(100)
server = coserver.CoThreadingTCPServer(("", 1), coserver.StreamRequestHandler)
cothread.Spawn(server.serve_forever)
with coselect.epoll() as epoll:
    pairs = epoll.poll(1.0)
event.Wait("soon")  # type: ignore[arg-type]
cothread.Sleep("long")  # type: ignore[arg-type]
