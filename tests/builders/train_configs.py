"""The train config of a command, and what can be chosen in it."""

from __future__ import annotations

from builders.small_run import REPO_DIR, composed

CONF_DIR = REPO_DIR / "conf"
# Parts of other files, no choices themselves.
SHARED = {"gaze", "lam", "photos", "gaze_angle", "eye_contact"}


def choices(group: str) -> list[str]:
    folder = CONF_DIR / group
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in SHARED)


def train_config(*overrides: str) -> dict:
    """A train config as a script would see it; run folders need a running Hydra."""
    return composed("train", "paths.run_dir=RUN", *overrides)
