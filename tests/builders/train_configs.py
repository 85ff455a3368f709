"""The train config of a command, and what can be chosen in it."""

from itertools import product

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


def chosen(data: str) -> list[str]:
    """Choose a data set; some hold whatever their owner calls it."""
    needs_name = data in ("flame_layout", "gaze_faces", "gazehub")
    return [f"data={data}", *(["data.name=mine"] if needs_name else [])]


def line_of(group: str, name: str) -> str:
    """The line a model or data set belongs to."""
    given = chosen(name) if group == "data" else [f"{group}={name}"]
    other = ["model=flame"] if group == "data" else ["data=columbiagaze"]
    return str(train_config(*given, *other)[group]["line"])


def pairs() -> list[tuple[str, str]]:
    """Every data set with every model of its line."""
    lines = {name: line_of("data", name) for name in choices("data")}
    models = {name: line_of("model", name) for name in choices("model")}
    return [(d, m) for d, m in product(lines, models) if lines[d] == models[m]]
