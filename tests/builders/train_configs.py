"""The train config of a command, and what can be chosen in it."""

from collections.abc import Iterator
from itertools import cycle

import yaml

from builders.small_training import REPO_DIR, composed

CONF_DIR = REPO_DIR / "conf"
# Parts of other files, no choices themselves.
SHARED = {"gaze", "lam", "photos", "gaze_angle", "clips", "eye_contact"}


def choices(group: str) -> list[str]:
    folder = CONF_DIR / group
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in SHARED)


def train_config(*overrides: str) -> dict:
    """A train config as a script would see it; run folders need a running Hydra."""
    return composed("train", "paths.run_dir=RUN", *overrides)


def chosen(data: str) -> list[str]:
    """Choose a data set; some hold whatever their owner calls it."""
    needs_name = data in ("flame_layout", "gaze_faces", "gazehub")
    return [f"data={data}", *(["data.name=mine"] if needs_name else [])]


def line_of(group: str, name: str) -> str:
    """The line a model or data set belongs to: its file's, or that of the file it stands on."""
    content = yaml.safe_load((CONF_DIR / group / f"{name}.yaml").read_text())
    if "line" in content:
        return str(content["line"])
    below = [entry for entry in content["defaults"] if isinstance(entry, str) and entry != "_self_"]
    return line_of(group, below[0])


def pairs() -> list[tuple[str, str]]:
    """Every data set and every model, each with one of its line."""
    models: dict[str, Iterator[str]] = {}
    for line in {line_of("model", name) for name in choices("model")}:
        models[line] = cycle([name for name in choices("model") if line_of("model", name) == line])
    found = [(name, next(models[line_of("data", name)])) for name in choices("data")]
    assert {model for _, model in found} == set(choices("model"))
    return found
