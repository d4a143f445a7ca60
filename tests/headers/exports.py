#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library exports what its headers declare, and nothing else.

    exports.py NM LIBRARY
"""

import re
import subprocess
import sys
from pathlib import Path

# A type of GObject's macros, or a function.
DECLARATION = re.compile(r'^COTHREAD_AVAILABLE_IN_\w+\s+(?:G_DECLARE_\w+_TYPE \(\w+, (\w+),|[^;(]*?(\w+) \()', re.MULTILINE)

nm, library = sys.argv[1:]
if '.so' not in Path(library).name:
    sys.exit(77)  # a static one hides nothing

source = Path(__file__).resolve().parents[2] / 'cothread-glib'
headers = [path for path in source.rglob('*.h') if not path.name.endswith('-private.h')]
headers += Path(library).parent.rglob('*.h')
declared = set()
for header in headers:
    for match in DECLARATION.finditer(header.read_text()):
        declared.add(match[1] + '_get_type' if match[1] else match[2])

lines = subprocess.run([nm, '-D', '--defined-only', library], check=True, capture_output=True, text=True).stdout.splitlines()
exported = {line.split()[-1] for line in lines}
for name in sorted(exported - declared):
    print(f'{name} is exported, but no public header declares it')
for name in sorted(declared - exported):
    print(f'{name} is declared, but not exported')
sys.exit(exported != declared)
