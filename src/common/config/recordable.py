"""What the config of a run may name, beside nets, modules, callbacks and loggers."""

from typing import Any, TypeVar

Thing = TypeVar("Thing")
_CLASSES: list[type] = []
_FUNCTIONS: list[Any] = []


def recordable(thing: Thing) -> Thing:
    """Let a run.json from anybody have this built, with any arguments.

    For a class (its subclasses too) or function that keeps what it is told, reads data, or makes a
    net: nothing that writes, deletes, downloads from a given place, or calls what it is given.
    """
    if isinstance(thing, type):
        _CLASSES.append(thing)
    else:
        _FUNCTIONS.append(thing)
    return thing


def is_recordable(thing: Any) -> bool:
    """Return whether a class or function, or what a class is made from, was marked."""
    if isinstance(thing, type):
        # Not issubclass: a protocol would take whatever looks like it.
        return any(marked in thing.__mro__ for marked in _CLASSES)
    return any(thing is marked for marked in _FUNCTIONS)
