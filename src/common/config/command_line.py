"""What is put right in a script's command line before Hydra reads it."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

# Hydra wants at most one of them.
_MULTIRUN = ("-m", "--multirun")
_COMMANDS = (*_MULTIRUN, "-r", "--run", "-c", "--cfg", "-i", "--info", "-sc")
# Of Hydra's grammar; a value that has one of them may be meant as more than text.
_STRUCTURE = frozenset("[]{},")
# Of a file or a folder.
_MAX_NAME_BYTES = 255
_LONG_COMMANDS = ("--cfg=", "--info=", "--shell", "--help", "--hydra-help", "--version")


def for_hydra(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as Hydra is to read them, without the script.

    Raises:
        ValueError: If a value can only be read with quotes that have to be typed; says how. If a
            name is longer than a file's may be: Hydra looks for a file of that name.
    """
    for argument in arguments:
        _check_names(argument)
    typed = with_multirun([quoted(argument) for argument in arguments])
    is_multirun = any(argument in _MULTIRUN for argument in typed)
    # Optuna takes the first choice for a fixed value.
    is_search = any(argument.startswith("hydra/sweeper=") for argument in typed)
    return with_first_choices(typed) if is_multirun and not is_search else typed


def quoted(argument: str) -> str:
    """Return an argument, in quotes if its value is text that Hydra's grammar has no place for.

    That is the case for most of what a path may hold: letters beyond ASCII, quotes, parentheses,
    equals signs. Brackets, braces and commas make lists, dictionaries and choices: there it is not
    known what was meant.

    Raises:
        ValueError: If so; says how to type it as text.
    """
    key, equals, value = argument.partition("=")
    if not equals or argument.startswith("-") or _parsed(argument) is not None:
        return argument
    as_text = f"{key}={_in_quotes(value)}"
    override = _parsed(as_text)
    if override is None or override.value() != value:
        return argument  # Hydra says what is wrong with it
    if not _STRUCTURE.intersection(value):
        return as_text
    in_shell = as_text.replace("'", "'\\''")
    raise ValueError(
        f"{argument} cannot be read: brackets, braces and commas in a value make lists, "
        "dictionaries and choices, and these are not whole, or hold what has to stand in quotes. "
        f"If it is a path or other text, type '{in_shell}'"
    )


def _check_names(argument: str) -> None:
    key, _, value = argument.partition("=")
    # A group's choice is a file's name, too; another option may hold a long text.
    is_text = "." in key or _STRUCTURE.intersection(argument)
    names = [key] if is_text else [key, *value.split("/")]
    longest = max(len(os.fsencode(name)) for name in names)
    if longest > _MAX_NAME_BYTES:
        raise ValueError(
            f"{argument[:60]}... has a name of {longest} bytes, expected at most {_MAX_NAME_BYTES}"
        )


def check_groups(
    arguments: Sequence[str], config_dir: Path, config_name: str, of_run: Mapping[str, str]
) -> None:
    """Refuse an option of a group that the command does not choose, on which Hydra 1.3 breaks down.

    Args:
        arguments: as Hydra is to read them.
        config_dir: the folder of the script's configs.
        config_name: of the script.
        of_run: by group, the option that changes the same of a recorded run.
    """
    typed = [one for one in map(_override, arguments) if one is not None]
    root = OmegaConf.to_container(OmegaConf.load(config_dir / f"{config_name}.yaml"))
    assert isinstance(root, dict)
    entries = [entry for entry in root["defaults"] if isinstance(entry, dict)]
    groups = [group for entry in entries for group, choice in entry.items() if choice is None]
    doubtful = [one for one in typed if str(one.key_or_group).partition(".")[0] in groups]
    doubtful = [one for one in doubtful if "." in str(one.key_or_group)]
    if not doubtful:
        return
    certain = [one for one in typed if one not in doubtful and not one.is_sweep_override()]
    try:
        with initialize_config_dir(str(config_dir), version_base="1.3"):
            chosen = compose(config_name, [str(one.input_line) for one in certain])
    except HydraException:
        return  # another mistake, which Hydra names
    for one in doubtful:
        group, _, option = str(one.key_or_group).partition(".")
        if group not in chosen or chosen[group] is None:
            raise ValueError(_unchosen(one, group, option, of_run))


def _unchosen(one: Override, group: str, option: str, of_run: Mapping[str, str]) -> str:
    said = f"{one.input_line} is an option of {group}=NAME, which the command does not choose"
    if group not in of_run:
        return f"{said}: type {group}=NAME, too"
    own, value = of_run[group], str(one.input_line).partition("=")[2]
    changed = f"{own}.{option.removeprefix(f'{own}.')}={value}"
    return f"{said}: type {group}=NAME, too, or, to change what a run has, {changed}"


def _in_quotes(value: str) -> str:
    """Return a value in Hydra's quotes, within which backslashes count where quotes follow."""
    mark = "'" if '"' in value and "'" not in value else '"'
    return mark + re.sub(rf"(\\*)({mark}|$)", _escaped, value) + mark


def _escaped(found: re.Match[str]) -> str:
    backslashes, mark = found.groups()
    return backslashes * 2 + (f"\\{mark}" if mark else "")


def with_multirun(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, with ``-m`` where they choose a study.

    A study's file says that it is a multirun. With a mistake in the command, Hydra does not get as
    far as that, and takes a list of rows for the mistake.
    """
    studies = [typed for typed in arguments if typed.removeprefix("+").startswith("sweeps=")]
    is_study = any(typed.partition("=")[2] not in ("", "null") for typed in studies)
    is_asked = any(typed in _COMMANDS or typed.startswith(_LONG_COMMANDS) for typed in arguments)
    return [*arguments, "-m"] if is_study and not is_asked else list(arguments)


def with_first_choices(arguments: Sequence[str]) -> list[str]:
    """Return a multirun's arguments, each list of choices with its first one before it.

    Before any job, Hydra composes what all of them have in common, without what they differ in:
    with ``model=a,b`` a config without a model, in which no model's keys are known. With the first
    choices it is the first job's config. Hydra's sweeper keeps the later of two values.
    """
    pairs = [(_first_choice(argument), argument) for argument in arguments]
    return [argument for pair in pairs for argument in pair if argument is not None]


def _first_choice(argument: str) -> str | None:
    if argument.startswith("hydra"):
        return None
    override = _override(argument)
    if override is None or not override.is_discrete_sweep():
        return None  # a mistake, which Hydra names, or no choices
    try:
        return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
    except (HydraException, StopIteration):
        return None  # a pattern (glob), whose choices it looks up later, or none: range(3,0)


def _override(argument: str) -> Override | None:
    """Return what an argument sets; None of a flag, or of what cannot be read."""
    return _parsed(argument) if "=" in argument and not argument.startswith("-") else None


def _parsed(argument: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(argument)
    # A number of 5,000 digits is a ValueError.
    except (HydraException, RecursionError, ValueError):
        return None
