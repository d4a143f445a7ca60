# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, cosocket."""
import errno
import os
import socket as standard
import ssl
import tempfile
import threading
import time

import cothread
from cothread import cosocket
from support import HERE, raises

CERTIFICATE = os.path.join(HERE, "localhost.pem")


class pair:
    def __enter__(self):
        self.sockets = cosocket.socketpair()
        return self.sockets

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()


def listening():
    listener = cosocket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(500)
    return listener


def test_waiting_suspends_only_the_task():
    with pair() as (one, other):
        steps = []
        task = cothread.Spawn(one.recv, 10)
        cothread.Spawn(lambda: [cothread.Sleep(0.001), steps.append(1), other.send(b"text")])
        assert task.Wait(60) == b"text" and steps == [1]


def test_they_are_standard_sockets_to_everybody():
    with pair() as (one, other):
        assert isinstance(one, standard.socket) and isinstance(one, cosocket.socket) and other.family == standard.AF_UNIX
        with cosocket.socket() as third:
            assert third.family == standard.AF_INET and third.type == standard.SOCK_STREAM
        assert third.fileno() == -1


def test_timeouts():
    with pair() as (one, _):
        assert one.gettimeout() is None and one.getblocking() and os.get_blocking(one.fileno())
        one.settimeout(0.01)
        assert one.gettimeout() == 0.01 == one.timeout
        start = time.monotonic()
        error = raises(standard.timeout, one.recv, 1)
        assert isinstance(error, OSError) and str(error) == "timed out" and time.monotonic() - start >= 0.0099
        one.settimeout(0)
        assert not one.getblocking()
        raises(BlockingIOError, one.recv, 1)
        one.setblocking(True)
        assert one.gettimeout() is None
        raises(ValueError, one.settimeout, -1)
        raises(TypeError, one.settimeout, "x")
    old = standard.getdefaulttimeout()
    standard.setdefaulttimeout(0.01)
    try:
        with cosocket.socket(standard.AF_INET, standard.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", 0))
            assert one.gettimeout() == 0.01
            raises(TimeoutError, one.recv, 1)
    finally:
        standard.setdefaulttimeout(old)


def test_a_connection_with_accept_connect_and_everything_that_carries_data():
    with listening() as listener:
        def serve():
            connection, address = listener.accept()
            assert isinstance(connection, cosocket.socket) and address[0] == "127.0.0.1"
            with connection:
                assert connection.recv(4, standard.MSG_PEEK) == b"0123"
                assert connection.recv(10, standard.MSG_WAITALL) == b"0123456789"
                buffer = bytearray(4)
                assert connection.recv_into(buffer) == 4 and bytes(buffer) == b"abcd"
                assert connection.recvmsg(4)[0] == b"efgh"
                assert connection.recvmsg_into([buffer])[0] == 4 and bytes(buffer) == b"ijkl"
                assert connection.recvfrom(4)[0] == b"mnop"
                assert connection.recvfrom_into(buffer)[0] == 4 and bytes(buffer) == b"qrst"
                assert connection.recv_into(buffer, 3, standard.MSG_WAITALL) == 3 and bytes(buffer) == b"uvwt"
                assert connection.recv(1) == b""
                connection.sendall(b"bye")

        server = cothread.Spawn(serve, raise_on_wait=True)
        with cosocket.create_connection(listener.getsockname(), timeout=60) as client:
            for text in (b"01234", b"56789", b"abcd", b"efgh", b"ijkl", b"mnop", b"qrst"):
                assert client.send(text) == len(text)
                cothread.Sleep(0.01)
            assert client.sendmsg([b"u", b"v", b"w"]) == 3
            client.shutdown(standard.SHUT_WR)
            with client.makefile("rb") as file:
                assert file.read() == b"bye"
        server.Wait(60)


def test_much_data_both_ways_at_once():
    data = os.urandom(3_000_000)
    with pair() as (one, other):
        def receive(sock):
            parts = []
            while sum(map(len, parts)) < len(data):
                parts.append(sock.recv(65536))
            return b"".join(parts)

        receivers = [cothread.Spawn(receive, sock) for sock in (one, other)]
        senders = [cothread.Spawn(sock.sendall, data) for sock in (one, other)]
        assert cothread.WaitForAll(receivers, 60) == [data, data]
        cothread.WaitForAll(senders, 60)


def test_sendall_has_one_timeout_for_all():
    with pair() as (one, _):
        one.settimeout(0.05)
        raises(TimeoutError, one.sendall, bytes(10_000_000))


def test_a_sender_does_not_starve_the_others():
    with pair() as (one, other):
        ticks = [0]

        def tick():
            while True:
                cothread.Yield()
                ticks[0] += 1

        def talk():
            end = time.monotonic() + 0.2
            while time.monotonic() < end:
                one.send(b"x")
                other.recv(1)

        cothread.Spawn(tick)
        assert cothread.Spawn(talk, raise_on_wait=True).Wait(60) is None and ticks[0] >= 5


def test_descriptors_through_sendmsg_and_recvmsg():
    with pair() as (one, other), tempfile.TemporaryFile() as file:
        file.write(b"contents")
        file.flush()
        task = cothread.Spawn(standard.recv_fds, other, 100, 1)
        standard.send_fds(one, [b"take"], [file.fileno()])
        data, descriptors, _, _ = task.Wait(60)
        assert data == b"take" and os.pread(descriptors[0], 100, 0) == b"contents"
        os.close(descriptors[0])


def test_makefile_in_text_and_lines():
    with pair() as (one, other):
        def shout():
            with one.makefile("rw", encoding="utf8", newline="\n") as file:
                for line in file:
                    file.write(line.upper())
                    file.flush()

        task = cothread.Spawn(shout, raise_on_wait=True)
        with other.makefile("rw", encoding="utf8", newline="\n") as file:
            for word in ("äpfel", "birnen"):
                file.write(word + "\n")
                file.flush()
                assert file.readline() == word.upper() + "\n"
        other.shutdown(standard.SHUT_WR)
        task.Wait(60)


def test_sendfile():
    with pair() as (one, other), tempfile.TemporaryFile() as file:
        file.write(bytes(range(256)) * 4000)
        task = cothread.Spawn(one.sendfile, file, 256, 1_000_000)
        received = bytearray()
        while len(received) < 1_000_000:
            received += other.recv(100_000)
        assert task.Wait(60) == 1_000_000 and received[:3] == b"\0\1\2"


def test_dup_detach_and_fromfd_give_the_descriptor_as_the_program_set_it():
    with pair() as (one, other):
        one.settimeout(5)
        with one.dup() as copy:
            assert isinstance(copy, cosocket.socket) and copy.gettimeout() == 5
            other.send(b"x")
            assert copy.recv(1) == b"x"
        with cosocket.fromfd(one.fileno(), standard.AF_UNIX, standard.SOCK_STREAM) as copy:
            other.send(b"y")
            assert copy.recv(1) == b"y"
        fd = one.detach()
        assert os.get_blocking(fd)
        os.close(fd)


def test_connect_errors_and_connect_ex():
    with cosocket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
    with cosocket.socket() as one:
        raises(ConnectionRefusedError, one.connect, address)
    with cosocket.socket() as one:
        assert one.connect_ex(address) == errno.ECONNREFUSED
    with cosocket.socket(standard.AF_UNIX) as one:
        raises(FileNotFoundError, one.connect, "/nowhere/socket")
        assert one.connect_ex("/nowhere/socket") == errno.ENOENT
    raises(ConnectionRefusedError, cosocket.create_connection, address)
    error = raises(ExceptionGroup, cosocket.create_connection, address, all_errors=True)
    assert len(error.exceptions) == 1
    with listening() as listener, cosocket.socket() as one:
        assert one.connect_ex(listener.getsockname()) == 0


def test_connect_waits_for_room_at_a_local_listener():
    with tempfile.TemporaryDirectory() as folder, cosocket.socket(standard.AF_UNIX) as listener:
        listener.bind(folder + "/socket")
        listener.listen(0)
        clients = [cosocket.socket(standard.AF_UNIX) for _ in range(5)]
        tasks = [cothread.Spawn(client.connect, folder + "/socket", raise_on_wait=True) for client in clients]
        cothread.Sleep(0.01)
        assert not all(tasks)
        late = cosocket.socket(standard.AF_UNIX)
        late.settimeout(0.02)
        raises(TimeoutError, late.connect, folder + "/socket")
        late.close()
        for _ in clients:
            listener.accept()[0].close()
        cothread.WaitForAll(tasks, 60)
        for client in clients:
            client.close()


def test_names_are_looked_up_in_a_thread():
    with listening() as listener:
        port = listener.getsockname()[1]
        threads = []
        real = cosocket._standard_getaddrinfo

        def slowly(*args):
            threads.append(threading.get_ident())
            time.sleep(0.05)
            return real("127.0.0.1", *args[1:])

        cosocket._standard_getaddrinfo = slowly
        try:
            ticks = []
            timer = cothread.Timer(0.005, lambda: ticks.append(1), retrigger=True)

            def connect():
                with cosocket.socket() as one:
                    one.connect(("some.name", port))
                cosocket.create_connection(("some.name", port)).close()

            assert cothread.Spawn(connect, raise_on_wait=True).Wait(60) is None
            timer.cancel()
        finally:
            cosocket._standard_getaddrinfo = real
        assert len(threads) == 2 and threading.get_ident() not in threads and len(ticks) >= 3

        def fail(*args):
            raise standard.gaierror(-2, "Name or service not known")

        cosocket._standard_getaddrinfo = fail
        try:
            task = cothread.Spawn(cosocket.create_connection, ("no.such.name", 1), raise_on_wait=True)
            raises(standard.gaierror, task.Wait, 60)
        finally:
            cosocket._standard_getaddrinfo = real


def test_datagrams():
    with cosocket.socket(type=standard.SOCK_DGRAM) as one, cosocket.socket(type=standard.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        task = cothread.Spawn(one.recvfrom, 100)
        cothread.Sleep(0.001)
        assert other.sendto(b"hello", one.getsockname()) == 5
        data, address = task.Wait(60)
        assert data == b"hello" and one.sendto(b"back", 0, address) == 4 and other.recv(10) == b"back"


def test_shutdown_does_not_block_and_wakes_a_reader():
    with pair() as (one, other):
        task = cothread.Spawn(one.recv, 1)
        cothread.Sleep(0.001)
        one.shutdown(standard.SHUT_RDWR)
        assert task.Wait(60) == b"" and other.recv(1) == b""


def test_in_another_thread_the_thread_waits():
    with pair() as (one, other):
        seen = []

        def work():
            one.settimeout(0.02)
            seen.append(type(raises(TimeoutError, one.recv, 1)))
            one.settimeout(60)
            seen.append(one.recv(1))

        thread = threading.Thread(target=work)
        thread.start()
        while not seen:
            cothread.Sleep(0.001)
        other.send(b"x")
        thread.join()
        assert seen == [TimeoutError, b"x"]


def contexts():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    client = ssl.create_default_context(cafile=CERTIFICATE)
    return server, client


def test_tls_over_a_connection():
    server_context, client_context = contexts()
    with listening() as listener:
        def serve():
            plain, _ = listener.accept()
            with server_context.wrap_socket(plain, server_side=True) as secure:
                assert isinstance(secure, cosocket.SSLSocket)
                size = int(secure.recv(100))
                secure.sendall(bytes(size))
                assert secure.recv(1) == b"!"
                secure.unwrap().close()

        ticks = []
        timer = cothread.Timer(0, lambda: ticks.append(1), retrigger=True)
        server = cothread.Spawn(serve, raise_on_wait=True)
        plain = cosocket.create_connection(listener.getsockname())
        with client_context.wrap_socket(plain, server_hostname="localhost") as secure:
            assert secure.version().startswith("TLS") and secure.gettimeout() is None
            secure.settimeout(0.02)
            raises(TimeoutError, secure.recv, 1)
            secure.settimeout(60)
            secure.send(b"2000000")
            with secure.makefile("rb") as file:
                assert file.read(2_000_000) == bytes(2_000_000)
            secure.settimeout(0)
            raises(ssl.SSLWantReadError, secure.recv, 1)
            secure.settimeout(60)
            secure.write(b"!")
            secure.unwrap()
        server.Wait(60)
        timer.cancel()
        assert len(ticks) > 3


def test_tls_on_a_listener_and_before_connecting():
    server_context, client_context = contexts()
    with server_context.wrap_socket(listening(), server_side=True) as listener:
        def serve():
            connection, _ = listener.accept()
            with connection:
                assert isinstance(connection, cosocket.SSLSocket)
                connection.sendall(connection.recv(100).upper())

        server = cothread.Spawn(serve, raise_on_wait=True)
        with client_context.wrap_socket(cosocket.socket(), server_hostname="localhost") as client:
            client.connect(listener.getsockname())
            raises(ValueError, client.connect, listener.getsockname())
            client.sendall(b"text")
            assert client.recv(100) == b"TEXT"
        server.Wait(60)
        # A certificate that nobody trusts.
        server = cothread.Spawn(lambda: raises(ssl.SSLError, listener.accept))
        strict = ssl.create_default_context()
        with cosocket.create_connection(listener.getsockname()) as plain:
            raises(ssl.SSLCertVerificationError, strict.wrap_socket, plain, server_hostname="localhost")
        assert server.Wait(60) is not None


def test_tls_of_standard_sockets_is_left_alone():
    context = ssl.create_default_context()
    with standard.socket() as plain, context.wrap_socket(plain, server_hostname="x") as secure:
        assert type(secure) is ssl.SSLSocket
