"""Build objects from configs, but only of the libraries this suite uses."""

from __future__ import annotations

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


def build(config: Mapping[str, Any], **arguments: Any) -> Any:
    """Instantiate a config with ``_target_``.

    Args:
        config: plain, resolved values.
        arguments: further constructor arguments.

    Raises:
        ValueError: If a ``_target_`` lies outside the allowed packages (a config can come from
            somebody else, and a target is code), or a constructor raises it.
    """
    for target in _targets(config):
        if target.partition(".")[0] not in ALLOWED_PACKAGES:
            raise ValueError(f"_target_ {target!r} is not of {', '.join(ALLOWED_PACKAGES)}")
    try:
        return hydra.utils.instantiate(dict(config), _convert_="all", **arguments)
    except InstantiationException as error:
        # What a user did wrong is said by the constructor, not by the way it was called.
        if isinstance(error.__cause__, ValueError):
            raise error.__cause__ from None
        raise


def _targets(config: Any) -> list[str]:
    if isinstance(config, Mapping):
        own = [config["_target_"]] if "_target_" in config else []
        return own + [target for value in config.values() for target in _targets(value)]
    if isinstance(config, list | tuple):
        return [target for value in config for target in _targets(value)]
    return []
