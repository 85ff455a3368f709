"""Settings of eye-contact runs and tests, as the report names them."""

from collections.abc import Mapping
from typing import Any

from common.report.run import Run

PRIORS = ("head", "landmarks")


def model_settings(run: Run) -> dict[str, Any]:
    """Return settings of the model; none of an original's checkpoint, which has no run."""
    if run.setting("config.model") is None:
        return {}
    return {
        "image size": run.setting("config.model.image_size"),
        "zoom": run.setting("config.model.zoom"),
        "started from": run.setting("config.model.init_checkpoint"),
        **{
            f"{part} {name.strip('_')}": value
            for part in ("backbone", "transformer")
            for name, value in (run.setting(f"config.model.{part}") or {}).items()
        },
    }


def as_words(value: Any) -> Any:
    """Return a group of settings as text, its kind first: ``median (width_frames 5)``."""
    if not isinstance(value, Mapping):
        return value
    details = [f"{name} {detail}" for name, detail in value.items() if name != "kind"]
    return f"{value.get('kind')} ({', '.join(details)})"


def priors_text(priors: Mapping[str, Any]) -> str | None:
    """Return the name of a choice of priors; None for a model that has none to choose."""
    if not priors:
        return None
    used = [name for name in PRIORS if priors.get(name)]
    return ("none", "".join(used), "all")[len(used)]
