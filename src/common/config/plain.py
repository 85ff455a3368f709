"""Configs as plain values: what the code below the scripts sees.

Importing this module also registers the suite's resolvers, in a launcher's workers too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue

import common.config.resolvers  # noqa: F401  registers them


def plain(cfg: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Return a config as resolved plain values.

    Raises:
        ValueError: If a value the user must give is missing; says what to type.
    """
    try:
        values: Any = OmegaConf.to_container(
            OmegaConf.create(cfg), resolve=True, throw_on_missing=True
        )
    except (MissingMandatoryValue, InterpolationToMissingValueError) as error:
        values = OmegaConf.to_container(OmegaConf.create(cfg))
        missing = [key for key, value in leaves(values) if value == "???"]
        if not missing:
            raise ValueError(f"a value must be given: {error}") from error
        given = " ".join(f"{key}=..." for key in missing)
        raise ValueError(f"{' and '.join(missing)} must be given: {given}") from error
    return dict(values)


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of nested mappings with their values."""
    if not isinstance(values, Mapping) or not values:
        yield path, values
        return
    for key, value in values.items():
        yield from leaves(value, f"{path}.{key}" if path else str(key))
