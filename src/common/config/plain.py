"""Configs as plain values: what the code below the scripts sees.

Importing this module also registers the suite's resolvers, in a launcher's workers too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue

import common.config.resolvers  # noqa: F401  registers them

Config = Mapping[str, Any]


def plain(cfg: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Return a config as resolved plain values.

    Raises:
        ValueError: If a value the user must give is missing, or one was added with ``+`` that
            nothing reads; says what to type.
    """
    if isinstance(cfg, DictConfig):
        _check_added(cfg)
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


def _check_added(cfg: DictConfig, path: str = "") -> None:
    """Refuse what ``+`` added to a config of our own, which Hydra itself takes without a word."""
    kind = OmegaConf.get_type(cfg)
    if not is_dataclass(kind):
        return  # an argument list: what takes it checks it
    options = [option.name for option in fields(kind)]
    for key in map(str, cfg):
        if key not in options:
            there = ", ".join(path + option for option in options)
            raise ValueError(f"nothing reads {path}{key}: there are {there}")
        if OmegaConf.is_missing(cfg, key) or OmegaConf.is_interpolation(cfg, key):
            continue
        if isinstance(cfg[key], DictConfig):
            _check_added(cfg[key], f"{path}{key}.")


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of nested mappings with their values."""
    if not isinstance(values, Mapping) or not values:
        yield path, values
        return
    for key, value in values.items():
        yield from leaves(value, f"{path}.{key}" if path else str(key))


def is_within(key: str, places: Iterable[str]) -> bool:
    """Return whether a dotted key is one of several, or of a part of one."""
    return any(f"{key}.".startswith(f"{place}.") for place in places)


def with_moved_places(value: Any, moved: Mapping[str, str]) -> Any:
    """Return plain values with every path at or below an old place moved to its new one."""
    if isinstance(value, Mapping):
        return {key: with_moved_places(item, moved) for key, item in value.items()}
    if isinstance(value, list):
        return [with_moved_places(item, moved) for item in value]
    for old, new in moved.items():
        if isinstance(value, str) and (value == old or value.startswith(f"{old}/")):
            return f"{new}{value[len(old) :]}"
    return value
