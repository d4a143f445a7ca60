# SPDX-License-Identifier: LGPL-2.1-or-later
"""The demo in a window of its own: one download is cancelled, one fails, two end, and the window paints."""
import os
import re
import subprocess
import sys
from pathlib import Path

root = Path(__file__).parents[2]
done = subprocess.run(
    [root / "tests/ui/with-display", sys.executable, root / "demos/downloads.py", "--check"],
    env={**os.environ, "G_DEBUG": "fatal-criticals"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert done.returncode == 0, done.stderr
assert done.stdout == """/ocean.png cancelled
/forest.png done
/broken.png failed
/desert.png done
""", done.stdout + done.stderr
# How smooth is for tests/perf; that it paints at all is seen here.
assert int(re.search(r"(\d+) frames", done.stderr)[1]) > 5, done.stderr
