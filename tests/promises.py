#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the tests that introspection/docs/promises.md names exist.

    promises.py ROOT         prints each promise whose test is not there
    promises.py --self-test  proves that each rule can fail

A test is a file under tests/ that its folder's meson.build builds or runs, and
paths in it. A path that ends in a slash stands for all that begin with it.
"""
import re
import sys
import tempfile
from pathlib import Path

PAGE = 'introspection/docs/promises.md'
ROW = re.compile(r'^\| (.+?) \| (.+?) \|$', re.MULTILINE)
NAME = re.compile(r'`([^`]+)`')


def has_path(text, path):
    """As a string, as two that a macro joins, or as the name that a macro makes a string of."""
    if path.endswith('/'):
        return f'"{path}' in text
    head, last = path.rsplit('/', 1)
    return (f'"{path}"' in text or (f'"{head}/"' in text and f'"{last}"' in text)
            or re.search(rf'(?:ADD|_add) ?\([^;]*\b{last.replace("-", "_")}\)', text) is not None)


def is_used(file):
    build = file.parent / 'meson.build'
    stem = re.sub(r'^(?:test-(?:stress-|callback-)?|perf-)', '', file.stem)
    text = build.read_text() if build.is_file() else ''
    return any(f"'{name}'" in text or f"'{name}." in text or f"{name}'" in text for name in (file.name, file.stem, stem))


def problems_of_row(tests, promise, cell):
    file = None
    names = NAME.findall(cell)
    if not names:
        yield f'{promise}: names no test'
    for name in names:
        if not name.startswith('/'):
            file = tests / name
            if not file.is_file():
                yield f'{promise}: there is no tests/{name}'
                file = None
            elif not is_used(file):
                yield f'{promise}: nothing builds or runs tests/{name}'
        elif file is not None and not has_path(file.read_text(), name):
            yield f'{promise}: {file.relative_to(tests)} has no {name}'


def find_problems(root):
    rows = [row for row in ROW.findall((root / PAGE).read_text()) if row[0] not in ('promise', '---')]
    if not rows:
        return ['the page has no promises']
    return [problem for row in rows for problem in problems_of_row(root / 'tests', *row)]


# ---- the proof that it can fail ----

def make_tree(root, cell, build):
    (root / 'introspection/docs').mkdir(parents=True)
    (root / PAGE).write_text(f'| promise | tests |\n| --- | --- |\n| It works | {cell} |\n')
    (root / 'tests/some').mkdir(parents=True)
    (root / 'tests/some/meson.build').write_text(build)
    (root / 'tests/some/test-it.c').write_text('add ("/it/works", works);\nADD (it_goes_on);\n')


CASES = [
    ('`some/test-it.c` `/it/works` `/it/it-goes-on` `/it/`', "foreach name : ['it']", None),
    ('as everybody knows', "'it'", 'names no test'),
    ('`some/test-other.c` `/it/works`', "'it'", 'there is no tests/some/test-other.c'),
    ('`some/test-it.c` `/it/worked`', "'it'", 'has no /it/worked'),
    ('`some/test-it.c` `/its/`', "'it'", 'has no /its/'),
    ('`some/test-it.c` `/it/works`', "'what'", 'nothing builds or runs'),
]


def self_test():
    failures = []
    for cell, build, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            make_tree(Path(folder), cell, build)
            found = find_problems(Path(folder))
        if (expected is None and found) or (expected is not None and (len(found) != 1 or expected not in found[0])):
            failures.append(f'{cell}: expected {expected}, found {found}')
    return failures


def main():
    found = self_test() if sys.argv[1:] == ['--self-test'] else find_problems(Path(sys.argv[1]))
    print('\n'.join(found) if found else 'all that is named exists')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
