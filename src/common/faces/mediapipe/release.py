"""Which of MediaPipe's releases is installed; found, not imported, which would take seconds."""

from importlib.util import find_spec
from pathlib import Path


def package_dir() -> Path:
    """Return MediaPipe's folder; without it one that is not there."""
    found = find_spec("mediapipe")
    folders = found.submodule_search_locations if found else None
    return Path(*(folders or ["mediapipe"])[:1])


def has_solutions() -> bool:
    """Return whether it is a release with the solutions and their models, up to 0.10.21.

    Later ones have the Tasks alone, whose models are fetched.
    """
    return (package_dir() / "python" / "solutions").is_dir()


def release_definition() -> dict[str, str]:
    """Return what a store's recipe says of where its faces or meshes come from.

    Meshes of the two differ by 1 % of a face, head poses by 1 degree. Stores that say nothing are
    of the solutions.
    """
    return {} if has_solutions() else {"mediapipe": "tasks"}


def refuse_without_solutions(option: str, model: str) -> None:
    """Refuse what needs a model that no wheel of a later release holds.

    Raises:
        ValueError: If a later one is installed, or none.
    """
    if not has_solutions():
        raise ValueError(
            f"{option} needs {model}, which only the wheel of MediaPipe 0.10.21 holds. Install "
            "the suite with Python 3.11 or 3.12, which bring that, or use another option"
        )
