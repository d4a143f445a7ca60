# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLS on cooperative sockets: ssl.SSLContext.wrap_socket() gives these where it is given one of those."""

import socket as _socket
import ssl
from collections.abc import Callable
from typing import Any

from . import cosocket
from .coselect import POLLIN, POLLOUT
from .cothread import _end_us


_Standard: Any = ssl.SSLSocket


class SSLSocket(_Standard):  # type: ignore[misc]
    """ssl.SSLSocket for tasks."""

    _limit: float | None = None
    _sslobj: Any
    _connected: bool

    def settimeout(self, value: float | None, /) -> None:
        """As of any socket."""
        super().settimeout(value)
        self._limit = super().gettimeout()
        # So that OpenSSL says what it would wait for.
        super().settimeout(0.0)

    def gettimeout(self) -> float | None:
        """As of any socket."""
        return self._limit

    timeout = property(gettimeout)

    def setblocking(self, flag: bool, /) -> None:
        """As of any socket."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """As of any socket."""
        return self._limit != 0

    def _try(self, function: Callable[..., Any], *args: Any) -> Any:
        if self._limit == 0:
            return function(*args)
        end_us = _end_us(self._limit)
        cosocket._checkpoint()
        while True:
            try:
                return function(*args)
            except ssl.SSLWantReadError:
                events = POLLIN
            except ssl.SSLWantWriteError:
                events = POLLOUT
            cosocket._wait(self.fileno(), events, end_us)

    def _try_plain(self, events: int, function: Callable[..., Any], *args: Any) -> Any:
        """Before there is TLS, or without."""
        if self._limit == 0:
            return function(*args)
        end_us = _end_us(self._limit)
        while True:
            try:
                return function(*args)
            except BlockingIOError:
                cosocket._wait(self.fileno(), events, end_us)

    def do_handshake(self, block: bool = False) -> None:
        """As ssl.SSLSocket.do_handshake()."""
        old, self._limit = self._limit, None if block and self._limit == 0 else self._limit
        try:
            self._try(super().do_handshake)
        finally:
            self._limit = old

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """As ssl.SSLSocket.read()."""
        return self._try(super().read, len, buffer)

    def write(self, data: Any) -> Any:
        """As ssl.SSLSocket.write()."""
        return self._try(super().write, data)

    def send(self, data: Any, flags: int = 0) -> Any:
        """As ssl.SSLSocket.send()."""
        if self._sslobj is None:
            return self._try_plain(POLLOUT, super().send, data, flags)
        if flags != 0:
            raise ValueError(f"non-zero flags not allowed in calls to send() on {self.__class__}")
        return self.write(data)

    def recv(self, buflen: int = 1024, flags: int = 0) -> Any:
        """As ssl.SSLSocket.recv()."""
        if self._sslobj is None:
            return self._try_plain(POLLIN, super().recv, buflen, flags)
        return super().recv(buflen, flags)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> Any:
        """As ssl.SSLSocket.recv_into()."""
        if self._sslobj is None:
            return self._try_plain(POLLIN, super().recv_into, buffer, nbytes or 0, flags)
        return super().recv_into(buffer, nbytes, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> Any:
        """As ssl.SSLSocket.sendfile()."""
        return self._sendfile_use_send(file, offset, count)

    def unwrap(self) -> Any:
        """As ssl.SSLSocket.unwrap()."""
        return self._try(super().unwrap)

    def accept(self) -> tuple[Any, Any]:
        """As ssl.SSLSocket.accept(): a connection, with TLS."""
        fd, address = self._try_plain(POLLIN, self._accept)
        connection = self.context.wrap_socket(
            cosocket.socket(self.family, self.type, self.proto, fileno=fd),
            do_handshake_on_connect=self.do_handshake_on_connect, suppress_ragged_eofs=self.suppress_ragged_eofs,
            server_side=True)
        return connection, address

    def _real_connect(self, addr: Any, connect_ex: bool) -> int | None:
        if self.server_side:
            raise ValueError("can't connect in server-side mode")
        if self._connected or self._sslobj is not None:
            raise ValueError("attempt to connect already-connected SSLSocket!")
        plain: Any = super(_Standard, self)
        try:
            cosocket._connect(self, plain.connect, cosocket._resolved(self, addr), self._limit,
                              lambda function, *args: function(*args))
        except OSError as error:
            if connect_ex and error.errno is not None:
                return error.errno
            raise
        self._sslobj = self.context._wrap_socket(
            self, False, self.server_hostname, owner=self, session=self._session)
        try:
            self._connected = True
            if self.do_handshake_on_connect:
                self.do_handshake()
        except BaseException:
            self._sslobj = None
            raise
        return 0 if connect_ex else None


class _Either(ssl.SSLSocket):
    """What the contexts make: the standard library's, unless they are given one of ours."""

    @classmethod
    def _create(cls, sock: _socket.socket, *args: Any, **kargs: Any) -> ssl.SSLSocket:
        kind: Any = SSLSocket if isinstance(sock, cosocket.socket) else ssl.SSLSocket
        made: ssl.SSLSocket = kind._create(sock, *args, **kargs)
        return made


_context: Any = ssl.SSLContext
if _context.sslsocket_class is ssl.SSLSocket or _context.sslsocket_class is None:
    _context.sslsocket_class = _Either
