#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""schema.py PROGRAM SCHEMA: validates the trace of a program.

Exit status 77 (skipped) without the module jsonschema.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter


def main():
    program, schema_path = sys.argv[1:]
    try:
        import jsonschema
    except ImportError:
        print('no python3-jsonschema here')
        return 77
    with open(schema_path, encoding='utf-8') as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'trace.json')
        subprocess.run([program], env=dict(os.environ, COTHREAD_TRACE=path), check=True, timeout=100)
        with open(path, encoding='utf-8') as file:
            trace = json.load(file)
    errors = list(validator.iter_errors(trace))
    for error in errors[:10]:
        print('not ok', '/'.join(map(str, error.absolute_path)), error.message)
    phases = Counter(event['ph'] for event in trace['traceEvents'])
    print(dict(phases))
    missing = [phase for phase in 'XibeCM' if phases[phase] == 0]
    if missing:
        print('not ok: nothing of phase', missing)
    # That the schema can fail at all.
    for broken in ({}, {'traceEvents': []}, {'traceEvents': [dict(trace['traceEvents'][0], ph='Z')]}):
        if validator.is_valid(broken):
            print('not ok: the schema takes', broken)
            return 1
    return 1 if errors or missing else 0


if __name__ == '__main__':
    sys.exit(main())
