# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sockets that suspend the calling task only.

They are the standard library's, with its methods, timeouts and errors. The descriptor stays as the program has set
it, so that it can be given away; in other threads the calling thread waits. socket_hook() puts them in the place of
the standard ones.
"""

import errno
import os
import socket as _socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

import _cothread

from .coselect import POLLIN, POLLOUT, _is_here, _look
from .cothread import Callback, Sleep, Timedout, _end_us, _left

__all__ = ["create_connection", "fromfd", "getaddrinfo", "socket", "socket_hook", "socketpair"]

_StandardSocket = _socket.socket
_standard_getaddrinfo = _socket.getaddrinfo
_standard_socketpair = _socket.socketpair
_DONTWAIT = _socket.MSG_DONTWAIT


def _wait(fd: int, events: int, end_us: int | None) -> None:
    """Waits for a descriptor in whatever thread it is called in; TimeoutError as of the standard sockets."""
    try:
        if _is_here():
            _cothread.wait_fd(fd, events, _left(end_us))
        elif not _look([(fd, events)], _left(end_us)):
            raise TimeoutError("timed out")
    except Timedout:
        raise TimeoutError("timed out") from None


def _checkpoint() -> None:
    """A connection that always has something must not stop the others."""
    if _is_here() and _cothread.current_task() is not None:
        _cothread.checkpoint()


class socket(_StandardSocket):
    """socket.socket for tasks."""

    __slots__ = ("_limit",)

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        super().__init__(family, type, proto, fileno)
        # For the system the socket blocks, or does not: there is no limit but ours.
        self._limit = super().gettimeout()
        if self._limit:
            super().settimeout(None)

    # -- timeouts --

    def settimeout(self, value: float | None, /) -> None:
        """Sets the timeout in seconds: None, for ever; 0, it does not wait."""
        super().settimeout(value)
        self._limit = super().gettimeout()
        if self._limit:
            super().settimeout(None)

    def gettimeout(self) -> float | None:
        """The timeout in seconds, or None."""
        return self._limit

    timeout = property(gettimeout)  # type: ignore[assignment]

    def setblocking(self, flag: bool, /) -> None:
        """settimeout(None) or settimeout(0)."""
        self.settimeout(None if flag else 0.0)

    def getblocking(self) -> bool:
        """Whether it waits."""
        return self._limit != 0

    # -- waiting --

    def _try(self, events: int, function: Callable[..., Any], *args: Any) -> Any:
        """Calls what does not wait until it has an answer."""
        if self._limit == 0:
            return function(*args)
        end_us = _end_us(self._limit)
        _checkpoint()
        while True:
            try:
                return function(*args)
            except BlockingIOError:
                _wait(self.fileno(), events, end_us)

    def _without_blocking(self, function: Callable[..., Any], *args: Any) -> Any:
        """For the calls that have no flag for it."""
        if self._limit == 0:
            return function(*args)
        super().setblocking(False)
        try:
            return function(*args)
        finally:
            if self.fileno() >= 0:
                super().setblocking(True)

    # -- connections --

    def accept(self) -> tuple["socket", Any]:
        """Waits for a connection; returns it, as such a socket, and its address."""
        fd, address = self._try(POLLIN, self._without_blocking, self._accept)  # type: ignore[attr-defined]
        return socket(self.family, self.type, self.proto, fileno=fd), address

    def connect(self, address: Any, /) -> None:
        """Connects; a name is looked up in a thread."""
        _connect(self, super().connect, _resolved(self, address), self._limit, self._without_blocking)

    def connect_ex(self, address: Any, /) -> int:
        """connect() that returns the error's number."""
        try:
            self.connect(address)
        except TimeoutError as error:
            return error.errno or errno.EWOULDBLOCK
        except _socket.gaierror:
            raise
        except OSError as error:
            if error.errno is None:
                raise
            return error.errno
        return 0

    # -- data --

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As socket.socket.recv()."""
        if flags & _socket.MSG_WAITALL and self._limit != 0:
            buffer = bytearray(bufsize)
            return bytes(buffer[:self._receive_all(memoryview(buffer), flags)])
        return self._try(POLLIN, super().recv, bufsize, flags | _DONTWAIT)  # type: ignore[no-any-return]

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """As socket.socket.recv_into()."""
        if flags & _socket.MSG_WAITALL and self._limit != 0:
            view = memoryview(buffer).cast("B")
            return self._receive_all(view[:nbytes] if nbytes else view, flags)
        return self._try(POLLIN, super().recv_into, buffer, nbytes, flags | _DONTWAIT)  # type: ignore[no-any-return]

    def _receive_all(self, view: memoryview, flags: int) -> int:
        done = 0
        while done < len(view):
            count = self.recv_into(view[done:], 0, flags & ~_socket.MSG_WAITALL)
            if count == 0:
                break
            done += count
        return done

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """As socket.socket.recvfrom()."""
        return self._try(POLLIN, super().recvfrom, bufsize, flags | _DONTWAIT)  # type: ignore[no-any-return]

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """As socket.socket.recvfrom_into()."""
        return self._try(POLLIN, super().recvfrom_into, buffer, nbytes, flags | _DONTWAIT)  # type: ignore[no-any-return]

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /) -> Any:
        """As socket.socket.recvmsg()."""
        return self._try(POLLIN, super().recvmsg, bufsize, ancbufsize, flags | _DONTWAIT)

    def recvmsg_into(self, buffers: Iterable[Any], ancbufsize: int = 0, flags: int = 0, /) -> Any:
        """As socket.socket.recvmsg_into()."""
        return self._try(POLLIN, super().recvmsg_into, list(buffers), ancbufsize, flags | _DONTWAIT)

    def send(self, data: Any, flags: int = 0, /) -> int:
        """As socket.socket.send()."""
        return self._try(POLLOUT, super().send, data, flags | _DONTWAIT)  # type: ignore[no-any-return]

    def sendto(self, data: Any, *args: Any) -> int:
        """As socket.socket.sendto(data, address) and sendto(data, flags, address)."""
        flags, address = args if len(args) == 2 else (0, *args)
        return self._try(POLLOUT, super().sendto, data, flags | _DONTWAIT, address)  # type: ignore[no-any-return]

    def sendmsg(self, buffers: Iterable[Any], ancdata: Iterable[Any] = (), flags: int = 0, address: Any = None, /) -> int:
        """As socket.socket.sendmsg()."""
        return self._try(POLLOUT, super().sendmsg, list(buffers), list(ancdata), flags | _DONTWAIT,  # type: ignore[no-any-return]
                         *([] if address is None else [address]))

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """As socket.socket.sendall(): the timeout is for all of it."""
        if self._limit == 0:
            super().sendall(data, flags)
            return
        end_us = _end_us(self._limit)
        _checkpoint()
        with memoryview(data) as view, view.cast("B") as octets:
            done = 0
            while done < len(octets):
                try:
                    done += super().send(octets[done:], flags | _DONTWAIT)
                except BlockingIOError:
                    _wait(self.fileno(), POLLOUT, end_us)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As socket.socket.sendfile(), by reading and sending."""
        return self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined, no-any-return]


def _connect(sock: _StandardSocket, connect: Callable[[Any], None], address: Any, limit: float | None,
             without_blocking: Callable[..., Any]) -> None:
    if limit == 0:
        connect(address)
        return
    end_us = _end_us(limit)
    while True:
        try:
            without_blocking(connect, address)
            return
        except BlockingIOError as error:
            if error.errno == errno.EINPROGRESS:
                break
            # The queue of the listener is full, and nothing tells when it is not.
            if end_us is not None and _cothread.monotonic_us() >= end_us:
                raise TimeoutError("timed out") from None
        _pause(0.005)
    _wait(sock.fileno(), POLLOUT, end_us)
    failure = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
    if failure != 0:
        raise OSError(failure, os.strerror(failure))


def _pause(seconds: float) -> None:
    if _is_here():
        Sleep(seconds)
    else:
        _look([], seconds)


# ---- names ----

def _is_number(host: str) -> bool:
    for family in (_socket.AF_INET, _socket.AF_INET6):
        try:
            _socket.inet_pton(family, host.partition("%")[0])
            return True
        except OSError:
            pass
    return False


def _resolved(sock: _StandardSocket, address: Any) -> Any:
    if sock.family not in (_socket.AF_INET, _socket.AF_INET6) or not isinstance(address, tuple) or len(address) < 2:
        return address
    host = address[0]
    if not isinstance(host, str) or not host or _is_number(host):
        return address
    return getaddrinfo(host, address[1], sock.family, sock.type, sock.proto)[0][4]


def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[Any]:
    """socket.getaddrinfo() for tasks: a thread asks, if there is something to ask."""
    args = (host, port, family, type, proto, flags)
    name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else host
    if name is None or not name or _is_number(name) or not _is_here() or _cothread.current_task() is None:
        return _standard_getaddrinfo(*args)
    return _in_thread(_standard_getaddrinfo, *args)  # type: ignore[no-any-return]


def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    finished = _cothread.Event()
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((function(*args), None))
        except BaseException as error:
            outcome.append((None, error))
        try:
            Callback(finished.signal)
        except _cothread.Closed:
            pass  # the program ends, and with it whoever waited

    threading.Thread(target=run, name="cothread getaddrinfo", daemon=True).start()
    finished.wait()
    result, error = outcome.pop()
    if error is not None:
        raise error
    return result


# ---- functions ----

def socketpair(family: int | None = None, type: int = _socket.SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """socket.socketpair() of such sockets."""
    one, other = _standard_socketpair(family, type, proto)
    return socket(fileno=one.detach()), socket(fileno=other.detach())


def fromfd(fd: int, family: int, type: int, proto: int = 0) -> socket:
    """socket.fromfd(): such a socket around a duplicate of a descriptor."""
    return socket(family, type, proto, fileno=_socket.dup(fd))


_DEFAULT_LIMIT: Any = object()


def create_connection(address: tuple[Any, Any], timeout: Any = _DEFAULT_LIMIT, source_address: Any = None, *,
                      all_errors: bool = False) -> socket:
    """socket.create_connection(): tries each address of a name in turn."""
    errors: list[Exception] = []
    for family, kind, proto, _, resolved in getaddrinfo(address[0], address[1], 0, _socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket(family, kind, proto)
            if timeout is not _DEFAULT_LIMIT and timeout is not _socket._GLOBAL_DEFAULT_TIMEOUT:  # type: ignore[attr-defined]
                sock.settimeout(timeout)
            if source_address is not None:
                sock.bind(source_address)
            sock.connect(resolved)
            return sock
        except OSError as error:
            errors.append(error)
            if sock is not None:
                sock.close()
    try:
        if not errors:
            raise OSError("getaddrinfo() knows no address")
        if all_errors:
            raise ExceptionGroup("create_connection failed", errors)
        raise errors[0]
    finally:
        errors = []


# ---- TLS ----

try:
    import ssl as _ssl
except ImportError:  # a Python without
    pass
else:
    from ._tls import SSLSocket as SSLSocket

    __all__.append("SSLSocket")


def socket_hook() -> None:
    """Puts these in the place of the standard library's sockets.

    What makes sockets through the module `socket` from now on is cooperative: http.client, urllib, smtplib, ftplib,
    socketserver, xmlrpc, and TLS on top. Call it before other modules take `socket.socket` for themselves.
    """
    module: Any = _socket
    module.socket = socket
    module.getaddrinfo = getaddrinfo
    module.socketpair = socketpair
    module.create_connection = create_connection
