"""What the config of a run may name, beside nets, modules, callbacks and loggers."""

from typing import Any, TypeVar

Thing = TypeVar("Thing")
_MARKED: list[Any] = []


def recordable(thing: Thing) -> Thing:
    """Let a run.json from anybody have this built, with any arguments.

    For a class (its subclasses too) or function that keeps what it is told, reads data, or makes a
    net: nothing that writes, deletes, downloads from a given place, or calls what it is given.
    """
    _MARKED.append(thing)
    return thing


def is_recordable(thing: Any) -> bool:
    """Return whether a class or function, or what a class is made from, was marked."""
    # Not issubclass: a protocol would take whatever looks like it.
    kinds = thing.__mro__ if isinstance(thing, type) else (thing,)
    return any(kind is marked for kind in kinds for marked in _MARKED)
