#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A window that downloads: each download is one function that waits, and the window goes on painting.

    demos/downloads             builds what is needed, and runs this
    downloads.py --dashboard    also shows the GTK dashboard, which watches the downloads from a process of its own
    downloads.py --check        downloads, cancels one, prints what happened, and ends

The files come from a server inside the program, on the loopback interface, which sends them slowly. Of the four,
one stops half-way; it shows an error, the others go on.
"""
import argparse
import http.server
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Cothread", "1.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Cothread, Gio, GLib, Gtk  # noqa: E402

CHUNK = 16 * 1024
FILES = {"/ocean.png": 1_500_000, "/forest.png": 900_000, "/broken.png": 700_000, "/desert.png": 400_000}


class SlowServer(http.server.BaseHTTPRequestHandler):
    """In threads of its own, as a server elsewhere would be."""
    pause = 0.01

    def do_GET(self) -> None:
        size = FILES[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if "broken" in self.path:
            size //= 2
        try:
            for start in range(0, size, CHUNK):
                self.wfile.write(bytes(min(CHUNK, size - start)))
                time.sleep(self.pause)
        except OSError:
            pass  # the download was cancelled

    def log_message(self, *args: Any) -> None:
        pass


def start_server() -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def fetch(port: int, path: str, progress: Any) -> int:
    """Downloads one file; returns its length. Nothing here knows of windows, or of callbacks."""
    connection = Cothread.call_async(Gio.SocketClient().connect_to_host_async, "127.0.0.1", port)
    try:
        request = GLib.Bytes(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        Cothread.call_async(connection.get_output_stream().write_bytes_async, request, GLib.PRIORITY_DEFAULT)
        stream = Gio.DataInputStream(base_stream=connection.get_input_stream())
        expected = 0
        while line := Cothread.call_async(stream.read_line_async, GLib.PRIORITY_DEFAULT)[0].strip():
            if line.lower().startswith(b"content-length:"):
                expected = int(line.split(b":")[1])
        length = 0
        while length < expected:
            part = Cothread.call_async(stream.read_bytes_async, CHUNK, GLib.PRIORITY_DEFAULT)
            if part.get_size() == 0:
                raise ConnectionError(f"the connection ended after {length} of {expected} bytes")
            length += part.get_size()
            progress(length / expected)
        return length
    finally:
        connection.close()


class Row(Gtk.Box):  # type: ignore[misc]
    """One file: its name, how far it is, and a button that starts or cancels it."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(spacing=12)
        self.path = path
        self.outcome = ""
        self._port = port
        self._task: Any = None
        self._bar = Gtk.ProgressBar(show_text=True, hexpand=True, valign=Gtk.Align.CENTER, text="not yet")
        self._button = Gtk.Button(label="Download", width_request=110)
        self._button.connect("clicked", self.on_clicked)
        self.append(Gtk.Label(label=path[1:], xalign=0, width_chars=12))
        self.append(self._bar)
        self.append(self._button)

    def on_clicked(self, *_: Any) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._task = Cothread.spawn(self._download)

    def _download(self) -> None:
        self._button.set_label("Cancel")
        try:
            with Cothread.timeout(60):
                length = fetch(self._port, self.path, self._show_progress)
            self._show("done", f"{length} bytes")
        except Cothread.Cancelled:
            self._show("cancelled", "cancelled")
            raise
        except (GLib.Error, OSError) as error:  # a timeout is an OSError
            self._show("failed", f"failed: {error}")
        finally:
            self._task = None
            self._button.set_label("Download")

    def _show_progress(self, fraction: float) -> None:
        self._bar.set_fraction(fraction)
        self._bar.set_text(f"{fraction:.0%}")

    def _show(self, outcome: str, text: str) -> None:
        self.outcome = outcome
        self._bar.set_text(text)


class Frames:
    """The longest time between two frames: what "smooth" means."""

    def __init__(self, widget: Any) -> None:
        self.longest_ms = 0.0
        self.count = 0
        self._last: Any = None
        widget.add_tick_callback(self._on_frame)

    def _on_frame(self, widget: Any, clock: Any) -> bool:
        now = time.monotonic()
        if self._last is not None:
            self.longest_ms = max(self.longest_ms, (now - self._last) * 1e3)
            self.count += 1
        self._last = now
        return True


def check(application: Any, rows: list[Row], frames: Frames) -> None:
    """What a user would do."""
    for row in rows:
        row.on_clicked()
    Cothread.sleep(0.3)
    rows[0].on_clicked()  # cancels it
    while not all(row.outcome for row in rows):
        Cothread.sleep(0.05)
    for row in rows:
        print(row.path, row.outcome)
    print(f"{frames.count} frames, the longest {frames.longest_ms:.0f} ms", file=sys.stderr)
    application.quit()


class DashboardButton(Gtk.Button):  # type: ignore[misc]
    """Starts the dashboard, which asks this process over the session bus what its tasks do."""

    def __init__(self) -> None:
        super().__init__(label="Watch in the dashboard", halign=Gtk.Align.END)
        self.connect("clicked", self.on_clicked)
        self._monitor: Any = None

    def on_clicked(self, *_: Any) -> None:
        Cothread.spawn(self._show)

    def _show(self) -> None:
        self.set_sensitive(False)
        try:
            if self._monitor is None:
                self._monitor = Cothread.BusMonitor.new(Cothread.Scheduler.get_default())
            # demos/run builds it, if need be.
            program = os.environ.get("COTHREAD_DASHBOARD", str(Path(__file__).with_name("run")))
            launcher = Gio.SubprocessLauncher()
            launcher.unsetenv("LD_LIBRARY_PATH")  # it finds its own
            dashboard = launcher.spawnv([program, "--attach", str(os.getpid()), "--page", "tasks"])
            Cothread.call_async(dashboard.wait_async)
        except GLib.Error as error:
            print(f"The dashboard cannot be started: {error.message}", file=sys.stderr)
        finally:
            self.set_sensitive(True)


def activate(application: Any, options: argparse.Namespace) -> None:
    SlowServer.pause = options.pause
    port = start_server()
    rows = [Row(port, path) for path in FILES]
    spinner = Gtk.Spinner(spinning=True, height_request=32)
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12, margin_top=18, margin_bottom=18, margin_start=18,
                  margin_end=18)
    box.append(spinner)
    for row in rows:
        box.append(row)
    button = DashboardButton()
    box.append(button)
    window = Gtk.ApplicationWindow(application=application, title="Downloads", child=box, default_width=560)
    window.present()
    if options.dashboard:
        button.on_clicked()
    if options.check:
        Cothread.spawn(check, application, rows, Frames(spinner))


def main() -> int:
    parser = argparse.ArgumentParser(description="Downloads from a slow server, in tasks.")
    parser.add_argument("--dashboard", action="store_true", help="show the dashboard as well")
    parser.add_argument("--pause", type=float, default=0.01, metavar="SECONDS", help="how long the server waits for each 16 KiB")
    parser.add_argument("--check", action="store_true", help="download, cancel one, print what happened, and end")
    options = parser.parse_args()
    application = Gtk.Application(application_id="org.cothread.Downloads", flags=Gio.ApplicationFlags.NON_UNIQUE)
    application.connect("activate", activate, options)
    return int(application.run([sys.argv[0]]))


if __name__ == "__main__":
    sys.exit(main())
