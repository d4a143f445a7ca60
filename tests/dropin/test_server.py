# SPDX-License-Identifier: LGPL-2.1-or-later
"""SEMANTICS, coserver and socket_hook."""
import socket as standard
import sys
import tempfile
import threading

import cothread
from cothread import cosocket, coserver
from support import raises, run


class Echo(coserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


def ask(address, *lines, family=None):
    """Says lines to a server, and returns what it answers."""
    if family is None:
        sock = cosocket.create_connection(address, timeout=100)
    else:
        sock = cosocket.socket(family)
        sock.connect(address)
    answers = []
    with sock, sock.makefile("rwb") as file:
        for line in lines:
            file.write(line + b"\n")
            file.flush()
            answers.append(file.readline().rstrip())
            cothread.Yield()
    return answers


def test_each_of_many_connections_is_handled_in_a_task_of_its_own():
    with coserver.CoThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        serving = cothread.Spawn(server.serve_forever)
        clients = [cothread.Spawn(ask, server.server_address, b"one %d" % i, b"two", raise_on_wait=True) for i in range(500)]
        assert cothread.WaitForAll(clients, 120) == [[b"ONE %d" % i, b"TWO"] for i in range(500)]
        server.shutdown()
        assert serving.Wait(60) is None


def test_a_slow_client_stops_nobody_but_without_the_mixin_it_does():
    with coserver.CoThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        cothread.Spawn(server.serve_forever)
        with cosocket.create_connection(server.server_address):
            assert cothread.Spawn(ask, server.server_address, b"x").Wait(60) == [b"X"]
        server.shutdown()
    with coserver.TCPServer(("127.0.0.1", 0), Echo) as server:
        cothread.Spawn(server.serve_forever)
        with cosocket.create_connection(server.server_address):
            cothread.Sleep(0.01)
            task = cothread.Spawn(ask, server.server_address, b"x")
            raises(cothread.Timedout, task.Wait, 0.05)
        assert task.Wait(60) == [b"X"]
        server.shutdown()


def test_shutdown_ends_serving_at_once_from_tasks_and_threads():
    for stop in (lambda server: server.shutdown(), lambda server: threading.Thread(target=server.shutdown).start()):
        with coserver.TCPServer(("127.0.0.1", 0), Echo) as server:
            serving = cothread.Spawn(server.serve_forever, None)
            cothread.Sleep(0.001)
            stop(server)
            assert serving.Wait(60) is None
            server.shutdown()  # where nobody serves it returns


def test_service_actions_are_called_now_and_then():
    calls = []

    class Server(coserver.TCPServer):
        def service_actions(self):
            calls.append(1)

    with Server(("127.0.0.1", 0), Echo) as server:
        cothread.Spawn(server.serve_forever, 0.001)
        while len(calls) < 3:
            cothread.Sleep(0.001)
        server.shutdown()


def test_handle_request_takes_one_or_times_out():
    timeouts = []

    class Server(coserver.CoThreadingTCPServer):
        timeout = 0.01

        def handle_timeout(self):
            timeouts.append(1)

    with Server(("127.0.0.1", 0), Echo) as server:
        server.handle_request()
        assert timeouts == [1]
        server.timeout = None
        client = cothread.Spawn(ask, server.server_address, b"x")
        server.handle_request()
        assert client.Wait(60) == [b"X"]


def test_an_exception_in_a_handler_is_reported_and_the_server_goes_on():
    class Failing(coserver.BaseRequestHandler):
        def handle(self):
            raise ValueError("in a handler")

    errors = []

    class Server(coserver.CoThreadingTCPServer):
        def handle_error(self, request, client_address):
            errors.append(sys.exc_info()[0])

    with Server(("127.0.0.1", 0), Failing) as server:
        cothread.Spawn(server.serve_forever)
        for _ in range(2):
            assert cothread.Spawn(ask, server.server_address, b"x").Wait(60) in ([b""], None)
        server.shutdown()
    assert errors == [ValueError] * 2


def test_datagrams():
    class Handler(coserver.DatagramRequestHandler):
        def handle(self):
            cothread.Sleep(0.001)
            self.wfile.write(self.rfile.read().upper())

    for kind in (coserver.UDPServer, coserver.CoThreadingUDPServer):
        with kind(("127.0.0.1", 0), Handler) as server:
            cothread.Spawn(server.serve_forever)
            with cosocket.socket(type=standard.SOCK_DGRAM) as client:
                client.settimeout(60)
                for i in range(10):
                    client.sendto(b"x%d" % i, server.server_address)
                    assert client.recv(100) == b"X%d" % i
            server.shutdown()


def test_local_sockets():
    with tempfile.TemporaryDirectory() as folder:
        with coserver.CoThreadingUnixStreamServer(folder + "/socket", Echo) as server:
            cothread.Spawn(server.serve_forever)
            assert cothread.Spawn(ask, folder + "/socket", b"x", family=standard.AF_UNIX).Wait(60) == [b"X"]
            server.shutdown()


class Page(coserver.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        cothread.Sleep(0.01)
        body = f"page {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_http_server():
    with coserver.CoThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        cothread.Spawn(server.serve_forever)

        def get(path):
            answer = ask(server.server_address, b"GET " + path + b" HTTP/1.0\r\n\r")
            return answer[0]

        clients = [cothread.Spawn(get, b"/%d" % i) for i in range(50)]
        assert cothread.WaitForAll(clients, 120) == [b"HTTP/1.1 200 OK"] * 50
        server.shutdown()


HOOKED = """
import cothread
cothread.socket_hook()
cothread.select_hook()
import http.client, http.server, socket, socketserver, ssl, sys, threading, urllib.request
from cothread import coserver
from test_server import Page
ticks = [0]
def tick():
    while True:
        cothread.Sleep(0.002)
        ticks[0] += 1
cothread.Spawn(tick)
"""


def run_hooked(text):
    status, out, err = run(HOOKED + text)
    assert (status, out, err) == (0, "good\n", ""), (status, out, err)


def test_the_hook_makes_urllib_and_http_client_cooperative():
    run_hooked("with coserver.CoThreadingHTTPServer(('127.0.0.1', 0), Page) as server:\n"
               "    cothread.Spawn(server.serve_forever)\n"
               "    address = 'http://127.0.0.1:%d/' % server.server_port\n"
               "    def get(i):\n"
               "        with urllib.request.urlopen(address + str(i)) as answer:\n"
               "            return answer.read()\n"
               "    pages = cothread.WaitForAll([cothread.Spawn(get, i, raise_on_wait=True) for i in range(30)], 100)\n"
               "    assert pages == [b'page /%d' % i for i in range(30)]\n"
               "    def keep_alive():\n"
               "        connection = http.client.HTTPConnection('127.0.0.1', server.server_port)\n"
               "        for i in range(5):\n"
               "            connection.request('GET', '/%d' % i)\n"
               "            assert connection.getresponse().read() == b'page /%d' % i\n"
               "        connection.close()\n"
               "    cothread.Spawn(keep_alive, raise_on_wait=True).Wait(60)\n"
               "    assert ticks[0] >= 5\n"
               "    server.shutdown()\n"
               "print('good')")


def test_the_hooks_make_the_standard_servers_cooperative():
    run_hooked("class Handler(socketserver.StreamRequestHandler):\n"
               "    def handle(self):\n"
               "        self.wfile.write(self.rfile.readline().upper())\n"
               "with http.server.HTTPServer(('127.0.0.1', 0), Page) as web, socketserver.TCPServer(('127.0.0.1', 0), Handler) as server:\n"
               "    serving = [cothread.Spawn(one.serve_forever, 0.01) for one in (web, server)]\n"
               "    with socket.create_connection(server.server_address) as one, one.makefile('rwb') as file:\n"
               "        file.write(b'text\\n'); file.flush()\n"
               "        assert file.readline() == b'TEXT\\n'\n"
               "    with urllib.request.urlopen('http://127.0.0.1:%d/x' % web.server_port) as answer:\n"
               "        assert answer.read() == b'page /x'\n"
               "    for one in (web, server):\n"
               "        stopper = threading.Thread(target=one.shutdown); stopper.start()\n"
               "        while stopper.is_alive(): cothread.Sleep(0.005)\n"
               "    cothread.WaitForAll(serving, 60)\n"
               "print('good')")


def test_the_hook_makes_https_cooperative():
    run_hooked("context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
               "context.load_cert_chain('localhost.pem')\n"
               "class Server(coserver.CoThreadingHTTPServer):\n"
               "    def finish_request(self, request, address):\n"
               "        with context.wrap_socket(request, server_side=True) as secure:\n"
               "            super().finish_request(secure, address)\n"
               "    def shutdown_request(self, request): request.close()\n"
               "with Server(('127.0.0.1', 0), Page) as server:\n"
               "    cothread.Spawn(server.serve_forever)\n"
               "    trusting = ssl.create_default_context(cafile='localhost.pem')\n"
               "    def get(i):\n"
               "        with urllib.request.urlopen('https://localhost:%d/%d' % (server.server_port, i), context=trusting) as answer:\n"
               "            return answer.read()\n"
               "    pages = cothread.WaitForAll([cothread.Spawn(get, i, raise_on_wait=True) for i in range(10)], 100)\n"
               "    assert pages == [b'page /%d' % i for i in range(10)] and ticks[0] >= 3\n"
               "    server.shutdown()\n"
               "print('good')")


def test_a_hooked_socket_works_in_threads_as_before():
    run_hooked("one, other = socket.socketpair()\n"
               "seen = []\n"
               "thread = threading.Thread(target=lambda: seen.append(one.recv(10)))\n"
               "thread.start()\n"
               "other.send(b'x')\n"
               "thread.join()\n"
               "assert seen == [b'x']\n"
               "one.close(); other.close()\n"
               "print('good')")
