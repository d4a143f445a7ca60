# SPDX-License-Identifier: LGPL-2.1-or-later
# Only Cothread is described here; everything else is Any.
from typing import Any

from . import Cothread as Cothread

def __getattr__(name: str) -> Any: ...
