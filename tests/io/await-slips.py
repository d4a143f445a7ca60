# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiler catches the usual slips of who awaits an operation.

    await-slips.py COMPILER INCLUDE-FOLDER...
"""
import subprocess
import sys

TEMPLATE = """
#include "io/cothread-await.h"
void test (GFile *file, GInputStream *stream, GError **error);
void
test (GFile *file, GInputStream *stream, GError **error)
{{
  char buffer[16];
  g_autoptr (GAsyncResult) result = NULL;
  (void) file; (void) stream; (void) buffer; (void) error;
  {}
}}
"""

# A statement, and what the compiler has to say about it (None: nothing).
CASES = [
    ("result = cothread_await (error, g_file_load_contents_async, file);", None),
    ("result = cothread_await_for (1000, error, g_input_stream_read_async, stream, buffer, 16, 0);", None),
    ("result = cothread_await (NULL, g_file_load_contents_async, file);", None),
    # Another object than the function is for.
    ("result = cothread_await (error, g_file_load_contents_async, stream);", "incompatible pointer type"),
    # An argument too few, and one too many.
    ("result = cothread_await (error, g_input_stream_read_async, stream, buffer, 16);", "too few arguments"),
    ("result = cothread_await (error, g_file_load_contents_async, file, NULL);", "too many arguments"),
    # The form that blocks.
    ("result = cothread_await (error, g_file_load_contents, file);", "incompatible pointer type"),
    # The result is forgotten, and with it the _finish().
    ("CothreadAwait await; cothread_await_begin (&await, \"x\", -1, error);", "unused-result"),
    ("CothreadAwait await; if (cothread_await_begin (&await, \"x\", -1, error)) cothread_await_end (&await, error);",
     "unused-result"),
    # The error in place of its address.
    ("GError *own = NULL; result = cothread_await (own, g_file_load_contents_async, file);", "incompatible pointer type"),
    ("cothread_await (error, g_file_load_contents_async, file);", "unused-result"),
    ("cothread_await_for (1000, error, g_file_load_contents_async, file);", "unused-result"),
    # The last three by hand.
    ("result = cothread_await (error, g_file_load_contents_async, file, NULL, NULL, NULL);", "too many arguments"),
    # Something between the cancellable and the callback.
    ("result = cothread_await (error, g_file_copy_async, file, file, 0, 0);", "too few arguments"),
    # The timeout and the error the wrong way round.
    ("result = cothread_await_for (error, 1000, g_file_load_contents_async, file);", "makes integer from pointer"),
    # The object of another _finish().
    ("result = cothread_await (error, g_file_load_contents_async, file); "
     "g_input_stream_read_finish (file, result, error);", "incompatible pointer type"),
    # One result in place of another.
    ("result = cothread_await (error, g_file_load_contents_async, file); "
     "g_file_load_contents_finish (file, error, NULL, NULL, NULL, error);", "incompatible pointer type"),
    # What is no function.
    ("result = cothread_await (error, file, file);", "is not a function"),
    # What is no result.
    ("GFileInfo *info = cothread_await (error, g_file_load_contents_async, file);", "incompatible pointer type"),
]


def main():
    compiler, *folders = sys.argv[1:]
    flags = subprocess.run(["pkg-config", "--cflags", "gio-2.0"], check=True, capture_output=True, text=True).stdout.split()
    failures = 0
    print(f"1..{len(CASES)}")
    for number, (statement, expected) in enumerate(CASES, 1):
        command = [*compiler.split(), "-std=gnu11", "-DCOTHREAD_INSIDE", "-Wall", "-Wextra", "-O2", "-S", "-o", "/dev/null", "-x", "c", "-", *flags,
                   *(f"-I{folder}" for folder in folders)]
        said = subprocess.run(command, input=TEMPLATE.format(statement), capture_output=True, text=True).stderr
        passed = said == "" if expected is None else expected in said
        failures += not passed
        print("ok" if passed else "not ok", number, "-", statement)
        if not passed:
            print("#", (said or "nothing").replace("\n", "\n# "))
    return failures != 0


sys.exit(main())
