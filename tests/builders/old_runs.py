"""Runs as the suite wrote them before it had rooms (until commit 5ba9990)."""

import json
from pathlib import Path
from typing import Any

from builders.small_training import REPO_DIR
from common.runs.targets import with_todays_target

_FOLDER = REPO_DIR / "tests" / "golden" / "old_runs"
# Everything of ours that conf/ and docs/ named as _target_.
OLD_TARGETS: list[str] = json.loads((_FOLDER / "targets.json").read_text())
MODELS = sorted(path.stem for path in _FOLDER.glob("*.json") if path.stem != "targets")


def todays(target: str) -> str:
    return str(with_todays_target({"_target_": target})["_target_"])


def write_old_run(name: str, runs_dir: Path, **entries: Any) -> dict[str, Any]:
    """Write the run.json of a run, into ``runs_dir/NAME``; return it.

    Args:
        name: a model, or STUDY/JOB.
        runs_dir: stands for what the record calls RUNS.
        entries: other ones than recorded.
    """
    text = (_FOLDER / f"{name}.json").read_text().replace("RUNS/", f"{runs_dir}/")
    # Versions were left out of these.
    snapshot: dict[str, Any] = {"versions": {}} | json.loads(text) | entries
    (runs_dir / name).mkdir(parents=True)
    (runs_dir / name / "run.json").write_text(json.dumps(snapshot))
    return snapshot


def make_old(run_dir: Path) -> None:
    """Give a run that today's code made the names of before."""
    before = {todays(target): target for target in OLD_TARGETS}

    def renamed(call: dict[str, Any]) -> dict[str, Any]:
        target = call.get("_target_")
        return {**call, "_target_": before.get(target, target)} if target else call

    path = run_dir / "run.json"
    now = json.loads(path.read_text())
    old = json.loads(path.read_text(), object_hook=renamed)
    old.pop("seal", None)
    assert old != now
    path.write_text(json.dumps(old))
