"""In which settings a start differs from the run that it goes on with."""

from collections.abc import Iterable, Sequence
from typing import Any

from common.config.plain import Config, is_within, leaves, with_moved_places
from common.listing import listed

# By dotted key, what a run had and what a start has; None where it is off, or not there.
Changes = dict[str, list[Any]]
# Of every start its own: how it goes on, and what the study has by now.
_OF_A_START = ("ckpt_path", "continue_run", "resume_with", "study")
# How faces are found. A training's are in its store, whose recipe is compared by itself; of its
# predictions each may say otherwise.
_OF_DETECTION = (
    *("model.annotator.analyzer", "model.annotator.following"),
    "data.reader.analyzer",
)
# Of a trainer: on what it runs, not what it does.
_OF_THE_MACHINE = tuple(
    f"trainer.{key}"
    for key in ("accelerator", "devices", "num_nodes", "strategy", "sync_batchnorm")
)
# What a start may say otherwise without a word: callbacks hold as they are configured, and the
# others change no step of a training, beside how long it goes on.
_OF_NO_STEP = (
    *("name", "paths", "logger", "test", "also_test", "allow_other_convention", "callbacks"),
    *("trainer.enable_progress_bar", "trainer.enable_model_summary", "trainer.profiler"),
    *("trainer.max_epochs", "trainer.max_steps", "trainer.max_time", "model.max_epochs"),
    "data.datamodule.num_workers",
)


def changes(before: Config, now: Config) -> Changes:
    """Return in which settings two resolved configs, of a run and of this start, differ.

    Where run, stores and raw data lie is none: a folder may have been moved.
    """
    old, new = dict(leaves(with_moved_places(before, _places(before, now)))), dict(leaves(now))
    keys = [*new, *(key for key in old if key not in new)]
    found = {key: [old.get(key), new.get(key)] for key in keys if old.get(key) != new.get(key)}
    return _without(found, (*_OF_A_START, *_OF_DETECTION, *_OF_THE_MACHINE))


def changes_of_training(before: Config, now: Config, is_same_code: bool) -> Changes:
    """Return in which settings two configs train differently.

    An option that only one of two versions of the suite has is no difference: it was not typed.
    """
    found = _without(changes(before, now), _OF_NO_STEP)
    if is_same_code:
        return found
    old, new = dict(leaves(before)), dict(leaves(now))
    return {key: values for key, values in found.items() if key in old and key in new}


def unnamed(found: Changes, resume_with: Iterable[str]) -> Changes:
    """Return the differences that are not wanted.

    An option that takes its value from a named one changes as that does, and is named with it.

    Args:
        found: all differences.
        resume_with: keys of those that are, or of what they are part of.
    """
    named = [values for key, values in found.items() if is_within(key, resume_with)]
    return {key: values for key, values in found.items() if values not in named}


def check_resumed_settings(found: Changes, resume_with: Sequence[str], run_dir: str) -> None:
    """Refuse to go on with other settings that nobody asked for.

    Args:
        found: all differences.
        resume_with: what may differ.
        run_dir: named in the message.
    """
    unwanted = unnamed(found, resume_with)
    if not unwanted:
        return
    typed = ",".join([*resume_with, *_first_keys(unwanted)])
    raise ValueError(
        f"{run_dir} was trained with other settings: {said(unwanted)}. Type what it had, or "
        f"resume_with='[{typed}]' to go on with those of now"
    )


def said(found: Changes) -> str:
    """Return differences as text, those of one cause once."""
    shown = _first_keys(found)
    return listed([f"{key}={short(found[key][0])} (now {short(found[key][1])})" for key in shown])


def _places(before: Config, now: Config) -> dict[str, str]:
    pairs = [(before["paths"].get("run_dir"), now["paths"].get("run_dir"))]
    pairs += [(before["data"].get(key), now["data"].get(key)) for key in ("store_dir", "raw_dir")]
    return {old: new for old, new in pairs if old and new and old != new}


def _without(found: Changes, keys: Sequence[str]) -> Changes:
    return {key: values for key, values in found.items() if not is_within(key, keys)}


def _first_keys(found: Changes) -> list[str]:
    """Return of the options with the same change the outermost one: others take theirs from it."""
    shown: dict[str, str] = {}
    for key, values in found.items():
        first = shown.get(repr(values))
        if first is None or key.count(".") < first.count("."):
            shown[repr(values)] = key
    return list(shown.values())


def short(value: Any) -> str:
    """Return a value as text for a message, a long one cut."""
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
