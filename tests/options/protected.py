# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which switch a build with the given flags chooses by itself.

    protected.py MESON SOURCE-ROOT FLAG BACKEND
"""
import re
import subprocess
import sys
import tempfile

meson, root, flag, backend = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    said = subprocess.run(
        [meson, "setup", folder, root, f"-Dc_args={flag}", "-Dintrospection=false", "-Ddemos=false",
         "-Dgtk=disabled", "-Dtests=false"],
        check=True, capture_output=True, text=True).stdout
chosen = re.search(r"switch backend\s*:\s*(\S+)", said)[1]
print(f"{flag}: {chosen}, expected {backend}")
sys.exit(0 if chosen == backend else 1)
