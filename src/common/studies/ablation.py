"""A row of a study: it changes something, and nothing undoes it.

A row is a file, ``conf/ablations/NAME.yaml``, or options of the groups that its study sweeps over.
"""

from collections.abc import Sequence
from typing import Any

from hydra import compose
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigSource
from omegaconf import OmegaConf

from common.config.plain import Config, is_within, leaves, plain

GROUP = "ablations"
# They say which row it is, not what it changes.
NAMES = ("ablation", "is_reference")
# What the options of a group differ in: choosing one also says these.
SUBJECTS = {"priors": ("head", "landmarks"), "dropout": ("kind",)}


def check_ablation(config: Config) -> list[str] | None:
    """Refuse a row that changes nothing, or is not what the run does; Hydra must be running.

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
    chosen_by = _chosen_by(hydra, config, typed)
    if chosen_by is None:
        return None
    said, sources = dict[str, Any](), _sources(hydra)
    for choice in chosen_by.items():
        said |= _said(*choice, sources)
    _check_holds(said, config, hydra.runtime.choices, typed)
    others = [one for one in typed if one.key_or_group not in chosen_by]
    # What says the row once more would be the same without it.
    kept = [one for one in others if config["is_reference"] or one.key_or_group not in said]
    lines = [str(one.input_line) for one in kept]
    return check_changes(config, _without_row(str(hydra.job.config_name), lines, config))


def _chosen_by(hydra: Any, config: Config, typed: Sequence[Override]) -> dict[str, str] | None:
    """Return the option by group that makes the row of a job; None without a row."""
    choices, chosen = hydra.runtime.choices, hydra.runtime.choices.get(GROUP)
    is_named = any(override.key_or_group == "ablation" for override in typed)
    if config["study"] and chosen is None and not is_named:
        return {key: choices[key] for key in hydra.sweeper.params or {} if key in choices}
    if chosen != config["ablation"]:
        raise ValueError(
            f"the row is {GROUP}={chosen} and its name {config['ablation']}: choose a row by "
            f"{GROUP}=NAME, and let conf/{GROUP}/NAME.yaml say `ablation: NAME`, or by what its "
            "study sweeps over"
        )
    return None if chosen is None else {GROUP: chosen}


def _sources(hydra: Any) -> list[ConfigSource]:
    """Return where configs lie, hydra.searchpath included; the first that has a file counts."""
    resolve = SourcesRegistry.instance().resolve
    found = [one for one in hydra.runtime.config_sources if one.path]
    return [resolve(one.schema)(one.provider, f"{one.schema}://{one.path}") for one in found]


def _said(group: str, option: str, sources: Sequence[ConfigSource]) -> dict[str, Any]:
    """Return what choosing an option says, by group or dotted key, in the words of its file."""
    if group != GROUP and group not in SUBJECTS:
        return {group: option}
    path = f"{group}/{option}"
    source = next(one for one in sources if one.is_config(path))
    file: Any = OmegaConf.to_container(source.load_config(path).config)
    if group != GROUP:
        keys = [key for key in SUBJECTS[group] if key in file]
        return {group: option} | {f"{group}.{key}": file[key] for key in keys}
    said = dict[str, Any]()
    for entry in file.pop("defaults", []):
        if isinstance(entry, dict):
            ((chosen, its_option),) = entry.items()
            said |= _said(chosen.removeprefix("override ").removeprefix("/"), its_option, sources)
        elif entry != "_self_":
            said |= _said(GROUP, entry, sources)
    said |= dict(leaves(file))
    return {key: value for key, value in said.items() if key not in NAMES}


def _check_holds(said: Config, config: Config, choices: Config, typed: Sequence[Override]) -> None:
    """Refuse a run that is not what its row says: something else would run under the row's name.

    The command line and an experiment's values win over a row; debug has the last word.
    """
    found = {**dict(leaves(config)), **choices}
    for key, value in said.items():
        if key in found and found[key] == value:
            continue
        row = f"row {config['ablation']} sets {key}={value}"
        named = [(str(one.key_or_group), one) for one in typed]
        about = [its for its in named if is_within(its[0], [key]) or is_within(key, [its[0]])]
        against = [one for name, one in about if one.value() != said.get(name)]
        if against:
            raise ValueError(
                f"{row}; {against[0].input_line} on the command line would undo that. Leave it "
                f"out, or write a row of your own (conf/{GROUP}/NAME.yaml)"
            )
        if key in found and choices.get("debug") is None:
            raise ValueError(
                f"{row}, but the run has {found[key]}: an experiment sets it, too. Take it out "
                "there"
            )


def _without_row(config_name: str, typed: Sequence[str], config: Config) -> Config | None:
    """Return the config of a command without its row; None if only the row completes it."""
    try:
        # The row's name stays, so that names and folders are the same.
        cfg = compose(config_name, [*typed, f"~{GROUP}", f"ablation={config['ablation']}"])
    except ConfigCompositionException:
        # With the row it composes: the row chooses the model or the data.
        return None
    return plain(cfg)


def check_changes(config: Config, without: Config | None) -> list[str] | None:
    """Refuse a row without an effect, and a reference with one.

    Returns:
        The dotted keys that the row changes; None if that is not known.
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
    left, right = dict(leaves(one)), dict(leaves(other))
    keys = [key for key in {**left, **right} if key not in ("name", *NAMES)]
    return [key for key in keys if key not in left or key not in right or left[key] != right[key]]
