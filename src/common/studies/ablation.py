"""A row of a study: it changes something, and nothing undoes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException

from common.config.plain import leaves, plain
from common.studies.ablation_row import GROUP, NAMES, Row, read_row, subjects

Config = Mapping[str, Any]


def check_ablation(config: Config) -> list[str] | None:
    """Refuse a row that changes nothing or is undone by the command line; Hydra must be running.

    Args:
        config: the job's resolved config.

    Returns:
        The dotted keys that the row changes; None without a row, or if only the row completes the
        command.

    Raises:
        ValueError: If so, or if name and file of the row differ.
    """
    hydra = HydraConfig.get()
    typed = OverridesParser.create().parse_overrides(list(hydra.overrides.task))
    row = _chosen_row(hydra, config, typed)
    if row is None:
        return None
    check_not_undone(row, typed)
    if hydra.runtime.choices.get("debug") is None:
        check_holds(row, config)
    kept = [
        str(one.input_line)
        for one in typed
        if one.key_or_group not in row.chosen_by
        and (config["is_reference"] or not _restates(row, one))
    ]
    return check_changes(config, without_row(str(hydra.job.config_name), kept, config))


def _chosen_row(hydra: Any, config: Config, typed: Sequence[Override]) -> Row | None:
    """Return the row of a job: a file, or the options of the groups that its study sweeps over."""
    choices, chosen = hydra.runtime.choices, hydra.runtime.choices.get(GROUP)
    is_named = any(override.key_or_group == "ablation" for override in typed)
    paths = [Path(source.path) for source in hydra.runtime.config_sources]
    folders = [path for path in paths if path.is_dir()]
    if config["study"] and chosen is None and not is_named:
        swept = {key: choices[key] for key in hydra.sweeper.params or {} if key in choices}
        return Row(config["ablation"], swept, {}, subjects(swept, folders), tuple(swept))
    if chosen != config["ablation"]:
        raise ValueError(
            f"the row is {GROUP}={chosen} and its name {config['ablation']}: choose a row by "
            f"{GROUP}=NAME, and let conf/{GROUP}/NAME.yaml say `ablation: NAME`, or by what its "
            "study sweeps over"
        )
    return None if chosen is None else read_row(chosen, folders)


def check_not_undone(row: Row, typed: Sequence[Override]) -> None:
    """Refuse what the command line says against the row: it would win, under the row's name.

    Args:
        row: what the row says.
        typed: the command's overrides.

    Raises:
        ValueError: If one is about what the row sets.
    """
    for override in typed:
        said = _contradicted(row, override)
        if said is not None:
            raise ValueError(
                f"row {row.name} sets {said}; {override.input_line} on the command line "
                f"would undo that. Leave it out, or write a row of your own "
                f"(conf/{GROUP}/NAME.yaml)"
            )


def _contradicted(row: Row, override: Override) -> str | None:
    """Return what of the row an override would undo."""
    key = override.key_or_group
    if key in row.choices:
        said = f"{key}={row.choices[key]}"
        return None if override.value() == row.choices[key] else said
    for name, value in {**row.subjects, **row.values}.items():
        is_about = f"{name}.".startswith(f"{key}.") or f"{key}.".startswith(f"{name}.")
        if is_about and not _restates(row, override):
            return f"{name}={value}"
    return None


def _restates(row: Row, override: Override) -> bool:
    """Return whether an override says once more what the row says."""
    said = {**row.subjects, **row.values, **row.choices}
    key = override.key_or_group
    return key in said and not override.is_delete() and override.value() == said[key]


def check_holds(row: Row, config: Config) -> None:
    """Refuse a run that is not what its row says because another file has the last word.

    An experiment's values win over the options of groups that a row chooses.

    Args:
        row: what the row says.
        config: the job's resolved config.

    Raises:
        ValueError: If so.
    """
    found = dict(leaves(config))
    for key, value in {**row.subjects, **row.values}.items():
        if key in found and found[key] != value:
            raise ValueError(
                f"row {row.name} sets {key}={value}, but the run has {found[key]}: "
                "an experiment sets it, too. Take it out there"
            )


def without_row(config_name: str, typed: Sequence[str], config: Config) -> Config | None:
    """Return the config of the same command without its row; None if only the row completes it.

    Args:
        config_name: the script's.
        typed: the command's overrides that are not of the row.
        config: with the row; the other has its name too, so that names and folders are the same.
    """
    try:
        cfg = compose(config_name, [*typed, f"~{GROUP}", f"ablation={config['ablation']}"])
    except ConfigCompositionException:
        # With the row it composes: the row chooses the model or the data.
        return None
    return plain(cfg)


def check_changes(config: Config, without: Config | None) -> list[str] | None:
    """Refuse a row without an effect, and a reference with one.

    Args:
        config: resolved config of the run.
        without: the same without the row; None if there is none.

    Returns:
        The dotted keys that the row changes; None if that is not known.

    Raises:
        ValueError: If so.
    """
    if without is None:
        return None
    name, changed = config["ablation"], differences(config, without)
    if config["is_reference"] and changed:
        raise ValueError(
            f"row {name} is the run that other rows are compared with, but changes "
            f"{', '.join(changed)}: choose what it is made for, or no row"
        )
    if not config["is_reference"] and not changed:
        raise ValueError(
            f"row {name} changes nothing here: the run without it is the same. Choose a model that "
            "it is made for, choose another value, or leave it out"
        )
    return changed


def differences(one: Config, other: Config) -> list[str]:
    """Return the dotted keys in which two configs differ, names of rows and runs apart."""
    left, right = (
        {key: value for key, value in leaves(config) if key not in ("name", *NAMES)}
        for config in (one, other)
    )
    keys = [*left, *(key for key in right if key not in left)]
    return [key for key in keys if key not in left or key not in right or left[key] != right[key]]
