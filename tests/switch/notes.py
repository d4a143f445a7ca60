#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the objects of the switch promise of control-flow protection.

    notes.py SOURCE-ROOT BUILD-ROOT COMPILER FLAG FILE FEATURES

Compiles FILE with COMPILER and FLAG, and compares what its property note says
with FEATURES (IBT, SHSTK, BTI, PAC, separated by commas; or none).
"""

import re
import subprocess
import sys
import tempfile


def main():
    root, build, compiler, flag, file, features = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        target = f'{folder}/object.o'
        subprocess.run([*compiler.split(), '-std=gnu11', '-D_GNU_SOURCE', '-O2', flag, f'-I{root}/cothread-glib', f'-I{build}',
                        '-c', f'{root}/cothread-glib/switch/{file}', '-o', target], check=True)
        notes = subprocess.run(['readelf', '--notes', target], check=True, capture_output=True, text=True).stdout
    found = re.search(r'feature: (.*)', notes)
    promised = sorted(found[1].split(', ')) if found else []
    expected = sorted(features.split(',')) if features != 'none' else []
    print(f'{file} {flag}: promises {promised}, expected {expected}')
    return 0 if promised == expected else 1


if __name__ == '__main__':
    sys.exit(main())
