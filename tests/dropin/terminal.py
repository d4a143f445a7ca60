# SPDX-License-Identifier: LGPL-2.1-or-later
"""An interactive interpreter on a pseudo-terminal."""
import os
import pty
import select
import signal
import sys
import time

TIMEOUT = 120


class Terminal:
    """with Terminal() as session: types lines, and waits for what appears."""

    def __init__(self, *options, env={}):
        self._options = options
        self._env = env
        self.text = ""

    def __enter__(self):
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                environment = {**os.environ, "TERM": "dumb", "PYTHONSTARTUP": "", "PYTHON_HISTORY": "/dev/null",
                               "HOME": "/nonexistent", **self._env}
                os.execve(sys.executable, [sys.executable, "-X", "faulthandler", "-q", *self._options], environment)
            finally:
                os._exit(127)
        self.wait_for(">>> ")
        return self

    def __exit__(self, *_):
        if self.pid:  # of 0 the whole group of processes would be killed
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def type(self, line):
        """Types a line, and waits for the next prompt; returns what appeared between."""
        mark = len(self.text)
        self.send(line + "\n")
        self.wait_for("\n", mark)
        self.wait_for(">>> ", mark)
        return self.text[mark:]

    def send(self, text):
        os.write(self._fd, text.encode())

    def wait_for(self, what, mark=None):
        mark = 0 if mark is None else mark
        end = time.monotonic() + TIMEOUT
        while what not in self.text[mark:]:
            left = end - time.monotonic()
            assert left > 0, f"{what!r} did not appear: {self.text[mark:]!r}"
            if select.select([self._fd], [], [], left)[0]:
                try:
                    self.text += os.read(self._fd, 65536).decode(errors="replace").replace("\r", "")
                except OSError:
                    raise AssertionError(f"the session ended before {what!r}: {self.text!r}") from None

    def status(self):
        """Waits until the interpreter has ended; its status."""
        end = time.monotonic() + TIMEOUT
        while True:
            # Whoever writes to a terminal needs somebody who reads.
            if select.select([self._fd], [], [], 0.01)[0]:
                try:
                    self.text += os.read(self._fd, 65536).decode(errors="replace").replace("\r", "")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, self.text
