# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server and its clients in one program, with the standard library's sockets hooked."""
import cothread

cothread.socket_hook()
cothread.select_hook()

import select  # noqa: E402
import socket  # noqa: E402

from cothread import coserver  # noqa: E402


class Handler(coserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            cothread.Sleep(0.001)
            self.wfile.write(line[::-1].lstrip() + b"\n")


def client(text):
    sock = socket.create_connection(server.server_address)
    try:
        sock.sendall(text + b"\n")
        while not select.select([sock], [], [], 60)[0]:
            pass
        return sock.recv(100).strip()
    finally:
        sock.close()


server = coserver.CoThreadingTCPServer(("localhost", 0), Handler)
serving = cothread.Spawn(server.serve_forever)
print(cothread.WaitForAll([cothread.Spawn(client, b"client %d" % i) for i in range(4)], 60))
server.shutdown()
server.server_close()
serving.Wait()
print("closed")
