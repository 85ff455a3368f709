"""Packages that need not be installed."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def optional(module: str, told: str) -> Any:
    """Import a module of such a package; a ValueError tells what needs it and what to type."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ValueError(f"{told} ({error})") from error


def package_file(package: str, name: str, told: str) -> Path:
    """Return a file inside an installed package, which is found but not imported.

    Raises:
        ValueError: If it is not there; it tells what needs it and what to type.
    """
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    path = Path(*(folders or [package])[:1]) / name
    if not path.is_file():
        raise ValueError(f"no file {path}: {told}")
    return path
