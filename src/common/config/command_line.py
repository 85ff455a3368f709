"""What is put right in the command line of ``train.py`` before Hydra reads it."""

from __future__ import annotations

from collections.abc import Sequence

# Hydra wants at most one of them.
_COMMANDS = ("-m", "--multirun", "-r", "--run", "-c", "--cfg", "-i", "--info", "-sc")
_LONG_COMMANDS = ("--cfg=", "--info=", "--shell", "--help", "--hydra-help", "--version")


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
