"""What is put right in a script's command line before Hydra reads it."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

# Hydra wants at most one of them.
_MULTIRUN = ("-m", "--multirun")
_COMMANDS = (*_MULTIRUN, "-r", "--run", "-c", "--cfg", "-i", "--info", "-sc")
_LONG_COMMANDS = ("--cfg=", "--info=", "--shell", "--help", "--hydra-help", "--version")


def for_hydra(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as Hydra is to read them.

    Args:
        arguments: as typed, without the script.
    """
    typed = with_multirun(arguments)
    is_multirun = any(argument in _MULTIRUN for argument in typed)
    # Optuna takes the first choice for a fixed value.
    is_search = any(argument.startswith("hydra/sweeper=") for argument in typed)
    return with_first_choices(typed) if is_multirun and not is_search else typed


def with_multirun(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, with ``-m`` where they choose a study.

    A study's file says that it is a multirun. With a mistake in the command, Hydra does not get as
    far as that, and takes a list of rows for the mistake.

    Args:
        arguments: as typed, without the script.
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

    Args:
        arguments: as typed, without the script.
    """
    pairs = [(_first_choice(argument), argument) for argument in arguments]
    return [argument for pair in pairs for argument in pair if argument is not None]


def _first_choice(argument: str) -> str | None:
    if "=" not in argument or argument.startswith(("-", "hydra")):
        return None
    try:
        override = OverridesParser.create().parse_override(argument)
        if not override.is_discrete_sweep():
            return None
        return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
    except (HydraException, RecursionError):
        # A mistake, which Hydra names, or a pattern (glob), whose choices it looks up later.
        return None
