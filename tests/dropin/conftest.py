# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every test begins without tasks, and leaves none behind."""
import gc
import signal

import pytest

import alone


@pytest.fixture(autouse=True)
def no_tasks_left():
    signal.signal(signal.SIGALRM, alone.hang)
    signal.alarm(180)
    yield
    signal.alarm(0)
    alone.check_that_no_tasks_are_left()
    gc.collect()
