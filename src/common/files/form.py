"""What form a file's content must have, and where it has another one.

A form is a kind such as `TEXT`, a list of one form (any number of such items), or a dictionary of
forms by key. Such keys must be there, others may; a `Maybe` may be missing or null.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common.files.foreign_files import shown

# Numbers beyond it are no measurements, and figures do not survive them.
_LARGEST = 1e12
_DEEPEST = 32


@dataclass(frozen=True)
class Kind:
    """A kind of value: what it is called, and whether a value is one."""

    words: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True)
class Maybe:
    """A form that a value may have; it may also be missing or null."""

    form: Any


@dataclass(frozen=True)
class Each:
    """A mapping to values of a form, from keys of another."""

    form: Any
    keys: Any = Kind("a key", lambda _: True)


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= _LARGEST or (isinstance(value, float) and math.isnan(value))


def _is_whole(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int)


ANY = Kind("a value", lambda _: True)
TEXT = Kind("a text", lambda value: isinstance(value, str))
NUMBER = Kind("a number", _is_number)
# Whatever size.
REAL = Kind(
    "a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)
)
WHOLE = Kind("a whole number", _is_whole)
COUNT = Kind("a count", lambda value: _is_whole(value) and value >= 0)
POSITIVE = Kind("a count from 1", lambda value: _is_whole(value) and value >= 1)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
PLAIN = Kind("a text or number", lambda value: isinstance(value, str | bool) or _is_number(value))


def check_form(content: Any, form: Any, where: str) -> None:
    """Refuse content, as json has it, of another form; a message calls it `where`.

    Raises:
        ValueError: If it has another form, is nested without end, or holds a text that no file
            can; says at which place.
    """
    found = _unusable(content) or _misfit(content, form, "")
    if found is not None:
        raise ValueError(f"{where}: {found}")


def _misfit(value: Any, form: Any, place: str) -> str | None:
    if isinstance(form, Maybe):
        return None if value is None else _misfit(value, form.form, place)
    if isinstance(form, Kind):
        is_one = form.accepts(value)
        return None if is_one else f"{place or 'it'} is {shown(value)}, expected {form.words}"
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{place or 'it'} is {shown(value)}, expected a list"
        return _first((item, form[0], f"{place}[{number}]") for number, item in enumerate(value))
    if not isinstance(value, Mapping):
        return f"{place or 'it'} is {shown(value)}, expected entries by name"
    if isinstance(form, Each):
        keys = ((key, form.keys, f"a key of {place or 'it'}") for key in value)
        values = ((item, form.form, _below(place, key)) for key, item in value.items())
        return _first(keys) or _first(values)
    missing = [key for key in form if key not in value and not isinstance(form[key], Maybe)]
    if missing:
        return f"{place or 'it'} lacks {', '.join(missing)}"
    return _first((value.get(key), its, _below(place, key)) for key, its in form.items())


def _first(parts: Any) -> str | None:
    return next((found for found in (_misfit(*part) for part in parts) if found is not None), None)


def _below(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)


def _unusable(content: Any) -> str | None:
    """Return what no code that walks through the content, or writes it to a file, would survive."""
    level = [content]
    for _ in range(_DEEPEST):
        halves = (text for text in level if isinstance(text, str) and not _is_whole_text(text))
        if (half := next(halves, None)) is not None:
            return f"it holds half a character, in {shown(half)}"
        # A pickle may hold one list in a thousand places.
        level = list({id(item): item for value in level for item in _items(value)}.values())
        if not level:
            return None
    return f"it is nested more than {_DEEPEST} deep"


def _is_whole_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
