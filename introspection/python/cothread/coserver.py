# SPDX-License-Identifier: LGPL-2.1-or-later
"""socketserver and http.server for tasks.

    class Echo(coserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                self.wfile.write(line)

    server = coserver.CoThreadingTCPServer(("localhost", 7000), Echo)
    cothread.Spawn(server.serve_forever)

serve_forever() suspends its task only. With CoThreadingMixIn each request has a task of its own.
"""

import http.server
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from socket import MSG_DONTWAIT
from socketserver import BaseRequestHandler, DatagramRequestHandler, StreamRequestHandler
from typing import Any

import _cothread

from . import cosocket
from . import cothread as _core
from .coselect import POLLIN, poll_list
from .cothread import CallbackResult, Spawn, Timedout

__all__ = [
    "BaseHTTPRequestHandler", "BaseRequestHandler", "CoThreadingHTTPServer", "CoThreadingMixIn",
    "CoThreadingTCPServer", "CoThreadingUDPServer", "CoThreadingUnixStreamServer", "DatagramRequestHandler",
    "HTTPServer", "SimpleHTTPRequestHandler", "StreamRequestHandler", "TCPServer", "UDPServer", "UnixStreamServer",
]


class _Server(socketserver.TCPServer):
    """What waits, of a server."""

    socket: cosocket.socket
    # Many tasks connect at once, and the system lets who finds no room wait for a second.
    request_queue_size = 1024

    def __init__(self, server_address: Any, RequestHandlerClass: Any, bind_and_activate: bool = True) -> None:
        super().__init__(server_address, RequestHandlerClass, False)
        self.socket = cosocket.socket(fileno=self.socket.detach())
        self._stop = _cothread.Event(False)
        self._has_stopped = _cothread.Event(False)
        self._has_stopped.signal()
        if bind_and_activate:
            try:
                self.server_bind()
                self.server_activate()
            except BaseException:
                self.server_close()
                raise

    def serve_forever(self, poll_interval: float | None = 0.5) -> None:
        """Handles requests until shutdown(). service_actions() is called every poll_interval seconds at least."""
        self._has_stopped.reset()
        self._stop.reset()
        try:
            while not self._stop:
                try:
                    _cothread.wait_any([(self.fileno(), POLLIN), self._stop], poll_interval)
                except Timedout:
                    pass
                else:
                    if not self._stop:
                        self._handle_request_noblock()  # type: ignore[attr-defined]
                self.service_actions()
        finally:
            self._stop.reset()
            self._has_stopped.signal()

    def shutdown(self) -> None:
        """Ends serve_forever() and waits until it has ended. From tasks and from other threads."""
        if threading.get_ident() != _core.scheduler_thread_id:
            CallbackResult(self.shutdown)
            return
        self._stop.signal()
        self._has_stopped.wait()

    def handle_request(self) -> None:
        """Handles one request, or calls handle_timeout() when `timeout` has passed."""
        limits = [limit for limit in (self.socket.gettimeout(), self.timeout) if limit is not None]
        if poll_list([(self, POLLIN)], min(limits, default=None)):
            self._handle_request_noblock()  # type: ignore[attr-defined]
        else:
            self.handle_timeout()

    def get_request(self) -> Any:
        """The next connection that is there, and its address."""
        fd, address = self.socket._without_blocking(self.socket._accept)  # type: ignore[attr-defined]
        return cosocket.socket(self.socket.family, self.socket.type, self.socket.proto, fileno=fd), address


class TCPServer(_Server):
    """socketserver.TCPServer for tasks."""


class UDPServer(_Server, socketserver.UDPServer):
    """socketserver.UDPServer for tasks."""

    def get_request(self) -> Any:
        """The next datagram that is there, with the socket, and its address."""
        data, address = cosocket._StandardSocket.recvfrom(self.socket, self.max_packet_size, MSG_DONTWAIT)
        return (data, self.socket), address


class UnixStreamServer(_Server, socketserver.UnixStreamServer):  # type: ignore[misc]
    """socketserver.UnixStreamServer for tasks."""


class HTTPServer(_Server, http.server.HTTPServer):
    """http.server.HTTPServer for tasks."""


class CoThreadingMixIn:
    """Handles each request in a task of its own."""

    # Of those tasks; 0: the usual.
    stack_size = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begins the task."""
        Spawn(self._process_request, request, client_address, stack_size=self.stack_size)

    def _process_request(self, request: Any, client_address: Any) -> None:
        server: Any = self
        try:
            server.finish_request(request, client_address)
        except Exception:
            server.handle_error(request, client_address)
        finally:
            server.shutdown_request(request)


class CoThreadingTCPServer(CoThreadingMixIn, TCPServer):
    """A TCPServer with a task for each connection."""


class CoThreadingUDPServer(CoThreadingMixIn, UDPServer):
    """A UDPServer with a task for each datagram."""


class CoThreadingUnixStreamServer(CoThreadingMixIn, UnixStreamServer):  # type: ignore[misc]
    """A UnixStreamServer with a task for each connection."""


class CoThreadingHTTPServer(CoThreadingMixIn, HTTPServer):
    """An HTTPServer with a task for each connection."""
