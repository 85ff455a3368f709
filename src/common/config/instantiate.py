"""Build objects from configs, but only of the libraries this suite uses."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException

ALLOWED_PACKAGES = (
    "common",
    "flame",
    "gazepose",
    "torch",
    "torchvision",
    "torchmetrics",
    "pytorch_lightning",
)
_OF_HYDRA = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")


def build(config: Mapping[str, Any], **arguments: Any) -> Any:
    """Instantiate a config with ``_target_``.

    Args:
        config: plain, resolved values.
        arguments: further constructor arguments.

    Raises:
        ValueError: If a ``_target_`` lies outside the allowed packages (a config can come from
            somebody else, and a target is code), a target has no such argument, or a constructor
            raises it.
    """
    for asked in calls(config):
        target = asked["_target_"]
        if target.partition(".")[0] not in ALLOWED_PACKAGES:
            raise ValueError(f"_target_ {target!r} is not of {', '.join(ALLOWED_PACKAGES)}")
    for asked in calls(_merged(config, arguments)):
        _check_arguments(asked)
    try:
        return hydra.utils.instantiate(dict(config), _convert_="all", **arguments)
    except InstantiationException as error:
        # What a user did wrong is said by the constructor, not by the way it was called.
        if isinstance(error.__cause__, ValueError):
            raise error.__cause__ from None
        raise


def calls(config: Any) -> list[Mapping[str, Any]]:
    """Return all configs with a ``_target_`` that are in one."""
    if isinstance(config, Mapping):
        own = [config] if "_target_" in config else []
        return own + [call for value in config.values() for call in calls(value)]
    if isinstance(config, list | tuple):
        return [call for value in config for call in calls(value)]
    return []


def _merged(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with changes laid over it, level by level, as Hydra lays arguments."""
    merged = dict(config)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(config.get(key), Mapping)
        merged[key] = _merged(config[key], value) if both else value
    return merged


def _check_arguments(call: Mapping[str, Any]) -> None:
    target = call["_target_"]
    try:
        parameters = inspect.signature(hydra.utils.get_object(target)).parameters
    # Hydra says what is wrong with a target; some builtins have no signature.
    except (ImportError, AttributeError, TypeError, ValueError):
        return
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return
    unknown = [key for key in call if key not in _OF_HYDRA and key not in parameters]
    if unknown:
        raise ValueError(
            f"{target} has no argument {', '.join(unknown)}, expected of {', '.join(parameters)}"
        )
