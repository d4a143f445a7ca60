# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whoever types help(Cothread.spawn) is helped."""
import inspect
import pydoc
import sys

import pytest

from gi.repository import Cothread

from gi.overrides import Cothread as _override_module  # noqa: E402

NAMES = _override_module.__all__
EXCEPTIONS = [name for name in NAMES if isinstance(getattr(Cothread, name), type) and issubclass(getattr(Cothread, name), BaseException)]


def public_members(kind):
    return {name: member for name, member in vars(kind).items() if not name.startswith("_")}


def test_the_names_are_those_of_the_module():
    assert {"spawn", "task", "sleep", "yield_", "Event", "Pulse", "EventQueue", "RLock", "Scope", "Timer", "callback",
            "run_in_thread", "wait_any", "timeout", "Cancelled"} <= set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_docstring_and_a_signature(name):
    thing = getattr(Cothread, name)
    assert len(inspect.getdoc(thing)) > 10
    if name not in EXCEPTIONS and thing is not Cothread.Scheduler and thing is not Cothread.Task:
        inspect.signature(thing)
    # What help() prints begins with how to call it.
    printed = pydoc.plain(pydoc.render_doc(thing))
    assert inspect.getdoc(thing).splitlines()[0] in printed
    if isinstance(thing, type) and thing is not Cothread.Scheduler:
        for member_name, member in public_members(thing).items():
            assert name in EXCEPTIONS or inspect.getdoc(member), f"{name}.{member_name} has no docstring"
            if callable(member):
                inspect.signature(member)


def test_the_text_of_spawn():
    printed = pydoc.plain(pydoc.render_doc(Cothread.spawn))
    assert "spawn(function, /, *args, **kwargs)" in printed and "begins at the caller's next wait" in printed


def test_exceptions_say_what_they_are_for():
    for name in EXCEPTIONS:
        assert inspect.getdoc(getattr(Cothread, name)) != inspect.getdoc(getattr(Cothread, name).__mro__[1]), name


def test_tracebacks_and_representations_name_the_public_module():
    assert repr(Cothread.Event()).startswith("<")
    assert sys.modules["gi.repository.Cothread"] is not None
