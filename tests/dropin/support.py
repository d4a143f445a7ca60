# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the drop-in package share. Nothing but Python, so that they run in interpreters without pytest."""
import importlib.util
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def has_pygobject():
    try:
        return importlib.util.find_spec("gi._gi") is not None
    except ModuleNotFoundError:
        return False


def raises(kind, function, *args, **kargs):
    """The exception of that kind that the call raises."""
    try:
        function(*args, **kargs)
    except kind as error:
        return error
    raise AssertionError(f"{function} did not raise {kind}")


# The last two for PyGObject, which imports in an old way.
STRICT = ("-X", "dev", "-W", "error", "-W", "ignore::ImportWarning", "-W", "ignore::DeprecationWarning")


def run(text, *, send=None, timeout=120, options=STRICT):
    """Runs a program of its own; returns (status, stdout, stderr). With `send` it gets that signal when it has said ready."""
    program = subprocess.Popen([sys.executable, "-X", "faulthandler", *options, "-c", text], cwd=HERE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if send is not None:
        assert program.stdout.readline() == "ready\n"
        program.send_signal(send)
    out, err = program.communicate(timeout=timeout)
    return program.returncode, out, err


class stderr_caught:
    """with stderr_caught() as caught: what is written to stderr meanwhile, as caught.text, goes nowhere else."""

    def __enter__(self):
        import io
        self._old, sys.stderr = sys.stderr, io.StringIO()
        return self

    def __exit__(self, *_):
        self._old, sys.stderr = sys.stderr, self._old
        self.text = self._old.getvalue()
        return False
