"""run.json: what a run was."""

import json
import math
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from common.runs import snapshot
from common.runs.snapshot import (
    add_to_snapshot,
    finish_snapshot,
    git_state,
    read_snapshot,
    start_snapshot,
)


def start(run_dir: Path, **config: object) -> None:
    start_snapshot(
        run_dir, config=config, choices={"model": "flame"}, data={"name": "small"}, changes={}
    )


def test_a_running_run_says_so_and_holds_its_config(tmp_path: Path) -> None:
    start(tmp_path, seed=3, where=tmp_path)
    found = read_snapshot(tmp_path)
    assert found["status"] == "running"
    assert found["config"] == {"seed": 3, "where": str(tmp_path)}
    assert found["choices"] == {"model": "flame"}
    assert found["data"] == {"name": "small"}
    assert {"python", "torch", "numpy"} <= set(found["versions"])
    assert found["machine"]["num_cores"] >= 1


def test_the_end_is_recorded_and_the_rest_kept(tmp_path: Path) -> None:
    start(tmp_path, seed=3)
    finish_snapshot(tmp_path, "finished", {"test/angular_error_deg": 4.5})
    found = read_snapshot(tmp_path)
    assert found["status"] == "finished"
    assert found["metrics"] == {"test/angular_error_deg": 4.5}
    assert found["config"] == {"seed": 3}


def test_numbers_that_are_not_finite_are_null_in_the_file_and_nan_when_read(tmp_path: Path) -> None:
    start(tmp_path, seed=3, nested={"values": [1.0, math.inf]})
    finish_snapshot(tmp_path, "finished", {"a": math.nan, "b": -math.inf, "c": 0.5})
    text = (tmp_path / "run.json").read_text()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert content["metrics"] == {"a": None, "b": None, "c": 0.5}
    assert content["config"]["nested"] == {"values": [1.0, None]}
    add_to_snapshot(tmp_path, more=1)
    metrics = read_snapshot(tmp_path)["metrics"]
    assert metrics == pytest.approx({"a": math.nan, "b": math.nan, "c": 0.5}, nan_ok=True)


def test_a_resumed_run_remembers_its_starts(tmp_path: Path) -> None:
    start(tmp_path, seed=3)
    finish_snapshot(tmp_path, "interrupted", {})
    start(tmp_path, seed=3)
    found = read_snapshot(tmp_path)
    assert found["status"] == "running"
    assert len(found["starts"]) == 2
    assert all(item["time"] and item["command"] for item in found["starts"])


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path} .*run\.json"):
        read_snapshot(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "null", "[" * 100_000, '{"status": "finished"}', '{"config": {}}'),
        '{"status": "finished", "config": [], "metrics": {}}',
        '{"status": "finished", "config": {}, "metrics": {"val/map": "high"}}',
        '{"status": "finished", "config": {}, "starts": [3]}',
    ],
)
def test_a_damaged_snapshot_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError, match=r"run\.json"):
        read_snapshot(tmp_path)


def test_the_file_is_plain_json_without_leftovers(tmp_path: Path) -> None:
    start(tmp_path, seed=3)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    json.loads((tmp_path / "run.json").read_text())


def test_the_working_copy_is_identified() -> None:
    state = git_state()
    # Outside a working copy (an unpacked archive) there is nothing to say.
    assert state == {} or (len(state["commit"]) == 40 and isinstance(state["changes"], str))


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no git
    monkeypatch.setattr(snapshot, "_PACKAGES", ("numpy", "no-such-package"))
    found = snapshot.software()
    assert found["git"] == {}
    assert found["versions"].keys() == {"python", "numpy"}


def test_an_environment_in_another_repository_is_not_taken_for_a_working_copy(
    tmp_path: Path,
) -> None:
    for typed in ("init --quiet", "add README", "-c user.name=a -c user.email=b commit -qm other"):
        (tmp_path / "README").touch()
        subprocess.run(["git", *typed.split()], cwd=tmp_path, check=True)
    installed = shutil.copy(str(snapshot.__file__), tmp_path)
    assert runpy.run_path(installed)["git_state"]() == {}
