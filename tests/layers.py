#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the rules of the tree from the tree and prints who breaks them.

The order of the layers stands in cothread-glib/README.md; which layers a layer
may include, in the "May include:" line of its own README.md. One line is printed
for each violation, and the exit status is 1 if there is any.

    layers.py [ROOT]       check the project at ROOT (default: this one)
    layers.py --self-test  prove that each rule can fail
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY = 'cothread-glib'
MAX_README_LINES = 10
MAX_SOURCE_LINES = 800
C_SUFFIXES = {'.c', '.h', '.S', '.in'}
SOURCE_SUFFIXES = C_SUFFIXES | {'.py', '.js', '.vala', '.vapi', '.build', '.txt', '.sh', '.ui', '.css', '.md', '.toml'}

# What the layers below the main loop must not know.
INNER_LAYERS = ('stack', 'switch', 'core')
FOREIGN = re.compile(
    r'\b(GMain(?:Context|Loop)\w*|g_main_\w+|GSource\w*|g_source_\w+'
    r'|GObject\w*|g_object_\w+|g_signal_\w+|G_DEFINE_\w+'
    r'|GThread\w*|g_thread_\w+|GMutex|g_mutex_\w+|GCond|g_cond_\w+|GRWLock|GPrivate|g_private_\w+'
    r'|pthread_create|pthread_mutex_\w+)\b')

COMMENTS_AND_STRINGS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def without_comments(text, keep_strings=False):
    """The text with comments (and strings) blanked out; lines stay lines."""
    def blank(match):
        if keep_strings and match[0].startswith('"'):
            return match[0]
        return re.sub(r'[^\n]', ' ', match[0])
    return COMMENTS_AND_STRINGS.sub(blank, text)


def line_of(text, position):
    return text.count('\n', 0, position) + 1


def read_order(library):
    """The layers, from leaf to root, or None where nobody wrote them down."""
    readme = library / 'README.md'
    if not readme.is_file():
        return None
    for line in readme.read_text().splitlines():
        names = re.findall(r'`([\w-]+)/`', line)
        if len(names) > 1:
            return names
    return None


def check_readme(library, layer, order, report):
    """Checks the README of a layer; returns the layers that it may include."""
    readme = library / layer / 'README.md'
    if not readme.is_file():
        report(readme, 'is missing')
        return set(order)
    lines = readme.read_text().splitlines()
    if len(lines) > MAX_README_LINES:
        report(readme, f'has {len(lines)} lines; {MAX_README_LINES} are allowed')
    rule = re.search(r'^May include: (.*?)\.(?: |$)', readme.read_text(), re.MULTILINE)
    if rule is None:
        report(readme, 'has no line "May include: ..."')
        return set(order)
    below = order[:order.index(layer)]
    if rule[1] == 'every other layer':
        return set(below)
    allowed = {name.strip() for name in rule[1].split(',')} & set(order)
    for name in sorted(allowed - set(below)):
        report(readme, f'allows {name}, which is not below {layer}')
    return allowed & set(below)


def check_includes(path, text, layer, order, allowed, report):
    for include in INCLUDE.finditer(without_comments(text, keep_strings=True)):
        target = include[1]
        where = line_of(text, include.start(1))
        first = target.split('/')[0]
        if '..' in target.split('/'):
            report(path, f'includes {target}: name the layer instead of climbing to it', where)
        elif target == f'{LIBRARY}.h':
            report(path, f'includes {target}, which is for programs', where)
        elif '/' in target and first in order and first != layer and first not in allowed:
            report(path, f'includes {target}, but {layer} may not include {first}', where)


def check_foreign_names(path, text, report):
    bare = without_comments(text)
    for name in FOREIGN.finditer(bare):
        report(path, f'uses {name[0]}', line_of(bare, name.start()))
    for include in INCLUDE.finditer(without_comments(text, keep_strings=True)):
        if include[1] == 'glib-object.h' or include[1].startswith('gobject/'):
            report(path, f'includes {include[1]}', line_of(text, include.start(1)))


def check_layers(root, report):
    library = root / LIBRARY
    order = read_order(library)
    if order is None:
        report(library / 'README.md', 'does not tell the order of the layers')
        return
    for folder in sorted(entry.name for entry in library.iterdir() if entry.is_dir()):
        if folder not in order:
            report(library / folder, 'is a folder that is no layer')
    for layer in order:
        if not (library / layer).is_dir():
            report(library / 'README.md', f'lists {layer}, which does not exist')
            continue
        allowed = check_readme(library, layer, order, report)
        for path in sorted((library / layer).rglob('*')):
            if path.suffix not in C_SUFFIXES:
                continue
            text = path.read_text()
            check_includes(path, text, layer, order, allowed, report)
            if layer in INNER_LAYERS or path.name.startswith('ct-'):
                check_foreign_names(path, text, report)


def list_sources(root):
    try:
        names = subprocess.run(['git', '-C', root, 'ls-files', '-z'], check=True, capture_output=True, text=True).stdout
        paths = [root / name for name in names.split('\0') if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for path in root.rglob('*') if not any(part.startswith(('.', 'build', '_build')) for part in path.relative_to(root).parts)]
    return sorted(path for path in paths if path.suffix in SOURCE_SUFFIXES and path.is_file())


def check_lengths(root, report):
    for path in list_sources(root):
        n = path.read_bytes().count(b'\n')
        if n > MAX_SOURCE_LINES:
            report(path, f'has {n} lines; {MAX_SOURCE_LINES} are allowed')


def find_violations(root):
    violations = []

    def report(path, what, line=None):
        place = f'{path.relative_to(root)}:{line}' if line else f'{path.relative_to(root)}'
        violations.append(f'{place}: {what}')

    check_layers(root, report)
    check_lengths(root, report)
    return violations


# ---- the proof that it can fail ----

CLEAN_TREE = {
    'cothread-glib/README.md': 'From leaf to root:\n\n`stack/` · `core/` · `loop/` · `sync/`\n',
    'cothread-glib/cothread-glib.h': '#include "loop/cothread-loop.h"\n#include "sync/cothread-sync.h"\n',
    'cothread-glib/stack/README.md': '# stack/\n\nMay include: GLib, the system. Used by: core.\n',
    'cothread-glib/stack/ct-stack.h': '/* Knows no GMainContext. */\n#include <glib.h>\n',
    'cothread-glib/core/README.md': '# core/\n\nMay include: stack. Used by: loop.\n',
    'cothread-glib/core/ct-task.c': '#include "stack/ct-stack.h"\nconst char *said = "g_object_new";\n',
    'cothread-glib/loop/README.md': '# loop/\n\nMay include: stack, core. Used by: sync.\n',
    'cothread-glib/loop/cothread-loop.h': '#include "core/ct-task.h"\n#include <gio/gio.h>\nGSource *source;\n',
    'cothread-glib/sync/README.md': '# sync/\n\nMay include: every other layer. Used by: programs.\n',
    'cothread-glib/sync/cothread-sync.h': '#include "stack/ct-stack.h"\n#include "loop/cothread-loop.h"\n',
}

# What is done to the clean tree, and the one violation that must be found.
BREACHES = [
    ('cothread-glib/stack/ct-stack.h', '#include "core/ct-task.h"\n', 'stack may not include core'),
    ('cothread-glib/stack/ct-stack.h', '#  include <loop/cothread-loop.h>\n', 'stack may not include loop'),
    ('cothread-glib/loop/cothread-loop.h', '#include "sync/cothread-sync.h"\n', 'loop may not include sync'),
    ('cothread-glib/core/ct-task.c', '#include "../loop/cothread-loop.h"\n', 'instead of climbing'),
    ('cothread-glib/loop/cothread-loop.h', '#include "cothread-glib.h"\n', 'which is for programs'),
    ('cothread-glib/core/README.md', None, 'is missing'),
    ('cothread-glib/core/README.md', '\n' * 10, 'has 13 lines'),
    ('cothread-glib/core/README.md', '# core/\n', 'has no line "May include', 'replace'),
    ('cothread-glib/core/README.md', 'May include: stack, loop. Used by: loop.\n', 'allows loop, which is not below', 'replace'),
    ('cothread-glib/README.md', 'Nothing here.\n', 'does not tell the order', 'replace'),
    ('cothread-glib/README.md', '`stack/` · `core/` · `loop/` · `sync/` · `io/`\n', 'lists io, which does not exist', 'replace'),
    ('cothread-glib/extra/ct-extra.c', 'int x;\n', 'is a folder that is no layer'),
    ('cothread-glib/core/ct-task.c', 'GMainContext *context;\n', 'uses GMainContext'),
    ('cothread-glib/core/ct-task.c', 'void *o = g_object_new (type, 0);\n', 'uses g_object_new'),
    ('cothread-glib/stack/ct-stack.h', 'GThread *thread;\n', 'uses GThread'),
    ('cothread-glib/stack/ct-stack.h', '#include <glib-object.h>\n', 'includes glib-object.h'),
    ('cothread-glib/sync/ct-private.c', 'GMutex mutex;\n', 'uses GMutex'),
    ('demos/long.py', 'pass\n' * 801, 'has 801 lines'),
]


def make_tree(root, breach=None):
    tree = dict(CLEAN_TREE)
    if breach is not None:
        path, text = breach[:2]
        if text is None:
            del tree[path]
        else:
            tree[path] = text if 'replace' in breach[3:] else tree.get(path, '') + text
    for name, text in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def self_test():
    failures = []
    for breach in [None] + BREACHES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            make_tree(root, breach)
            found = find_violations(root)
        if breach is None and found:
            failures.append(f'the clean tree: found {found}')
        elif breach is not None and (len(found) != 1 or breach[2] not in found[0]):
            failures.append(f'{breach[0]}: expected "{breach[2]}", found {found}')
    for failure in failures:
        print(failure)
    if not failures:
        print(f'{len(BREACHES)} breaches found, and none in the clean tree')
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    violations = find_violations(root.resolve())
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main())
