"""Which arguments a class or function takes, and of what kind: a config may bring any."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from common.files.foreign_files import shown
from common.files.form import FLAG, REAL, TEXT, WHOLE, Kind

_PLAIN = (bool, int, float, str, NoneType, Mapping, list, tuple)
_OF_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Of annotations; what has another takes anything.
_KINDS: dict[Any, Kind] = {
    **{bool: FLAG, int: WHOLE, float: REAL, str: TEXT},
    NoneType: Kind("null", lambda value: value is None),
    Mapping: Kind("values by name", lambda value: isinstance(value, Mapping)),
    Sequence: Kind("a list", lambda value: isinstance(value, list | tuple)),
}


def check_names(takes: Callable[..., Any], given: Mapping[str, Any], name: str) -> None:
    """Refuse arguments that a class or function does not have.

    Args:
        takes: the class or function.
        given: its arguments by name.
        name: what it is called in messages.

    Raises:
        ValueError: If there are such; it names them, and those that it has.
    """
    parameters = inspect.signature(takes).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    unknown = [key for key in given if key not in parameters]
    if unknown:
        raise ValueError(
            f"{name} has no argument {', '.join(unknown)}, expected of {', '.join(parameters)}"
        )


def check_arguments(takes: Callable[..., Any], given: Mapping[str, Any], name: str) -> None:
    """Refuse arguments that are not those of a class or function, as `check_names` has them.

    Raises:
        ValueError: If one is unknown or missing, or a plain value is of another kind than its
            annotation says.
    """
    check_names(takes, given, name)
    parameters = inspect.signature(takes).parameters.values()
    named = {one.name: one for one in parameters if one.kind not in _OF_ANY_NUMBER}
    missing = [key for key, one in named.items() if one.default is one.empty and key not in given]
    if missing:
        raise ValueError(f"{name} lacks {', '.join(missing)}")
    for key, value in given.items():
        kinds = _kinds(named[key].annotation) if key in named else []
        if kinds and isinstance(value, _PLAIN) and not any(kind.accepts(value) for kind in kinds):
            words = " or ".join(kind.words for kind in kinds)
            raise ValueError(f"{name}: {key} is {shown(value)}, expected {words}")


def _kinds(annotation: Any) -> list[Kind]:
    """Return which kinds of values are of an annotation; none where any may be."""
    is_union = get_origin(annotation) in (Union, UnionType)
    each = get_args(annotation) if is_union else (annotation,)
    kinds = [_KINDS[one] for one in (get_origin(one) or one for one in each) if one in _KINDS]
    return kinds if len(kinds) == len(each) else []
