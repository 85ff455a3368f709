"""What a row of a study says: a file (``conf/ablations/NAME.yaml``), or options of groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from common.config.plain import leaves

GROUP = "ablations"
# They say which row it is, not what it changes.
NAMES = ("ablation", "is_reference")
# What the options of a group differ in: choosing one also says these.
SUBJECTS = {"priors": ("head", "landmarks"), "dropout": ("kind",)}


@dataclass(frozen=True)
class Row:
    """What a row says.

    Attributes:
        name: of its file, if it is one.
        choices: option by group.
        values: value by dotted key, as written.
        subjects: what the chosen options are about, by dotted key.
        chosen_by: groups of the command line that choose it.
    """

    name: str
    choices: Mapping[str, str]
    values: Mapping[str, Any]
    subjects: Mapping[str, Any]
    chosen_by: tuple[str, ...] = (GROUP,)


def read_row(name: str, folders: Sequence[Path]) -> Row:
    """Read a row's file, and those of the rows it is made of.

    Args:
        name: of the row.
        folders: where configs lie; the first that has it counts.
    """
    file = _read(f"{GROUP}/{name}", folders)
    choices, values = dict[str, str](), dict[str, Any]()
    for entry in file.pop("defaults", []):
        if isinstance(entry, DictConfig):
            ((group, option),) = entry.items()
            choices[str(group).removeprefix("override ").removeprefix("/")] = str(option)
        elif entry != "_self_":
            part = read_row(entry, folders)
            choices |= part.choices
            values |= part.values
    values |= dict(leaves(OmegaConf.to_container(file)))
    values = {key: value for key, value in values.items() if key not in NAMES}
    return Row(name, choices, values, subjects(choices, folders))


def subjects(choices: Mapping[str, str], folders: Sequence[Path]) -> dict[str, Any]:
    """Return what chosen options are about, by dotted key.

    Args:
        choices: option by group.
        folders: where configs lie; the first that has a file counts.
    """
    found = dict[str, Any]()
    for group in (one for one in SUBJECTS if one in choices):
        file = _read(f"{group}/{choices[group]}", folders)
        found |= {f"{group}.{key}": file[key] for key in SUBJECTS[group] if key in file}
    return found


def _read(name: str, folders: Sequence[Path]) -> Any:
    return OmegaConf.load(
        next(path for folder in folders if (path := folder / f"{name}.yaml").is_file())
    )
