# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the small programs of demos/ against real peers.

    smoke.py FOLDER-OF-PROGRAMS
"""
import http.server
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading

FOLDER = pathlib.Path(sys.argv[1])


def start(name, *arguments, **keywords):
    return subprocess.Popen([FOLDER / f"cothread-{name}", *map(str, arguments)], stdout=subprocess.PIPE, text=True, **keywords)


def run(name, *arguments):
    done = subprocess.run([FOLDER / f"cothread-{name}", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def end(process):
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0, process.returncode


def test_hello():
    status, said, _ = run("hello")
    assert status == 0 and said.count("egg") == 6 and "postman" in said, said


def test_walk():
    with tempfile.TemporaryDirectory() as folder:
        for i in range(20):
            path = pathlib.Path(folder, f"{i % 5}", f"{i}")
            path.mkdir(parents=True)
            path.joinpath("file").write_text("x" * 100)
        status, said, _ = run("walk", folder)
        assert status == 0 and said.startswith("26 folders (0 unreadable), 20 files, "), said
    status, _, complaint = run("walk", "/nonexistent/folder")
    assert status == 1 and "nonexistent" in complaint, complaint


def test_fetch():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/page" else 404)
            self.end_headers()
            self.wfile.write(b"x" * 50000)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    status, said, _ = run("fetch", *[f"{address}/page"] * 10, f"{address}/none")
    assert status == 0 and said.count(" 200 OK, 50000 bytes") == 10 and said.count(" 404 ") == 1, said
    server.shutdown()
    server.server_close()
    status, said, complaint = run("fetch", f"{address}/page", "no address")
    assert status == 1 and said == "" and complaint.count("\n") == 2, complaint


def test_tail():
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in "abc"]
        for file in files:
            file.write_text("old\n")
        process = start("tail", *files)
        # The program says nothing when it is ready: what is appended before is
        # not printed, so go on until something comes of each file.
        said = set()
        reader = threading.Thread(target=lambda: said.update(line.split()[0] for line in process.stdout))
        reader.start()
        for attempt in range(600):
            for file in files:
                with file.open("a") as stream:
                    stream.write(f"{file.name} {attempt}\n")
            threading.Event().wait(0.1)
            if said == set("abc"):
                break
        end(process)
        reader.join()
        assert said == set("abc"), said
    status, _, complaint = run("tail", "/nonexistent/file")
    assert status == 1 and "nonexistent" in complaint, complaint


def test_echo():
    process = start("echo")
    port = int(process.stdout.readline().split("port ")[1].split(",")[0])
    peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for i, peer in enumerate(peers):
        peer.sendall(b"hello %d" % i)
    for i, peer in enumerate(peers):
        assert peer.recv(100) == b"hello %d" % i
    peers.pop().close()
    end(process)
    assert all(peer.recv(100) == b"" for peer in peers), "who is connected is hung up on"


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    failures = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            test()
            print("ok", number, test.__name__)
        except Exception as error:
            failures += 1
            print("not ok", number, test.__name__, "-", repr(error).replace("\n", " "))
    return failures != 0


sys.exit(main())
