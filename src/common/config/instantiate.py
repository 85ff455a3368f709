"""Build objects from configs."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException

from common.config.arguments import check_arguments, check_names
from common.config.recordable import is_recordable

OF_HYDRA = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")


def build(config: Mapping[str, Any], **arguments: Any) -> Any:
    """Instantiate a config with ``_target_``.

    A target is code: what a run.json names is checked by `common.runs.admission` before it comes
    here.

    Args:
        config: plain, resolved values.
        arguments: further constructor arguments.

    Raises:
        ValueError: If a target has no such argument, what is `recordable` takes another kind of
            value or lacks one, or a constructor raises it.
    """
    for _, asked in calls(merged(config, arguments)):
        _check_arguments(asked)
    try:
        return hydra.utils.instantiate(dict(config), _convert_="all", **arguments)
    except InstantiationException as error:
        # What a user did wrong is said by the constructor, not by the way it was called.
        if isinstance(error.__cause__, ValueError):
            raise error.__cause__ from None
        raise


def calls(config: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all configs with a ``_target_`` that are in one, each behind its dotted key.

    Args:
        config: any value of a config.
        place: its own dotted key.
    """
    if isinstance(config, Mapping):
        if "_target_" in config:
            yield place, config
        items = list(config.items())
    elif isinstance(config, list | tuple):
        items = list(enumerate(config))
    else:
        return
    for key, value in items:
        yield from calls(value, f"{place}.{key}" if place else str(key))


def merged(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with changes laid over it, level by level, as Hydra lays arguments."""
    result = dict(config)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(config.get(key), Mapping)
        result[key] = merged(config[key], value) if both else value
    return result


def _check_arguments(call: Mapping[str, Any]) -> None:
    target = call["_target_"]
    given = {key: value for key, value in call.items() if key not in OF_HYDRA}
    try:
        found = hydra.utils.get_object(target)
        inspect.signature(found)
    # Hydra says what is wrong with a target; some builtins have no signature.
    except (ImportError, AttributeError, TypeError, ValueError):
        return
    # What others made may take more than its annotations say, and what waits, more arguments.
    is_whole = not (call.get("_partial_") or call.get("_args_"))
    check = check_arguments if is_whole and is_recordable(found) else check_names
    check(found, given, target)
