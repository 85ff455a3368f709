"""Packages that need not be installed."""

from importlib import import_module
from typing import Any


def optional(module: str, told: str) -> Any:
    """Import a module of such a package; a ValueError tells what needs it and what to type."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ValueError(f"{told} ({error})") from error
