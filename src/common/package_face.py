"""What a package shows at its door."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def attributes(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``: each name comes from its module when it is used.

    So that ``import flame`` is light: torch takes seconds, and nobody needs all of it.

    Args:
        package: its ``__name__``.
        modules: name -> the module that has it.
    """

    def attribute(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return attribute
