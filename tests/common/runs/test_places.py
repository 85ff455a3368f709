"""What ``latest`` is, and where a run's store lies seen from another folder."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders.train_configs import train_config

from common.runs.places import (
    found_run,
    latest_run,
    run_dir,
    with_found_store,
    with_latest_checkpoint,
)
from common.training.checkpoints.reading import save_checkpoint


def write_run(folder: Path, time: str, **entries: Any) -> Path:
    folder.mkdir(parents=True)
    starts = [{"time": "2020"}, {"time": time}]
    snapshot = {"status": "finished", "config": {}, "starts": starts, "choices": {}, **entries}
    (folder / "run.json").write_text(json.dumps(snapshot))
    return folder


def test_the_latest_run_is_the_one_begun_last_in_sweeps_too(tmp_path: Path) -> None:
    assert latest_run(tmp_path / "nowhere") is None
    write_run(tmp_path / "z", "2026-01-01T00:00:00+00:00")
    latest = write_run(tmp_path / "sweep" / "0", "2026-01-03T00:00:00+00:00")
    write_run(tmp_path / "a", "2026-01-02T00:00:00+00:00")
    write_run(tmp_path / "debugged", "2026-01-09T00:00:00+00:00", choices={"debug": "fast"})
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.json").write_text('{"starts": [{"time": 7}')
    assert latest_run(tmp_path) == latest
    assert run_dir("latest", "new", str(tmp_path)) == str(latest)
    assert run_dir("latest", "new", str(tmp_path / "nowhere")) == "new"


def test_latest_is_a_checkpoint_or_says_why_there_is_none(tmp_path: Path) -> None:
    paths = {"runs_dir": str(tmp_path), "run_dir": str(tmp_path / "new")}
    asked = {"ckpt_path": "latest", "paths": paths}
    with pytest.raises(ValueError, match=rf"ckpt_path=latest.* {tmp_path} .*paths\.runs_dir="):
        with_latest_checkpoint(asked)
    with pytest.raises(ValueError, match=rf"run=latest.* {tmp_path} "):
        found_run("latest", asked, "run")
    run = write_run(tmp_path / "run", "2026")
    with pytest.raises(ValueError, match=rf"ckpt_path=latest: {run}\b"):
        with_latest_checkpoint(asked)
    epoch = {"current": {"processed": 1, "started": 1}}
    content = {"state_dict": {}, "loops": {"fit_loop": {"epoch_progress": epoch}}, "global_step": 9}
    last = run / "checkpoints" / "last.ckpt"
    save_checkpoint(content, last)
    assert with_latest_checkpoint(asked)["ckpt_path"] == str(last)
    save_checkpoint(content, last.with_name("best.ckpt"))
    last.write_bytes(last.read_bytes()[:-9])  # damaged
    assert with_latest_checkpoint(asked)["ckpt_path"] == str(last.with_name("best.ckpt"))
    assert found_run("latest", asked, "run") == run
    assert with_latest_checkpoint(asked | {"ckpt_path": "x.ckpt"})["ckpt_path"] == "x.ckpt"
    # Unless the command says another folder, it is the latest run's; else that one's checkpoint.
    write_run(tmp_path / "later", "2027")
    own = asked | {"paths": paths | {"run_dir": str(run)}}
    assert with_latest_checkpoint(own)["ckpt_path"] == str(last.with_name("best.ckpt"))


def test_a_run_is_found_by_its_name_unless_a_path_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"paths": {"runs_dir": "runs"}}
    (tmp_path / "runs" / "first").mkdir(parents=True)
    assert found_run("first", asked, "run") == Path("runs/first")
    assert found_run("runs/first", asked, "run") == Path("runs/first")
    assert found_run("other", asked, "run") == Path("other")
    (tmp_path / "first").mkdir()
    assert found_run("first", asked, "run") == Path("first")


@cache
def config() -> dict[str, Any]:
    return train_config("model=flame", "data=columbiagaze")


def recorded(**start: str) -> dict[str, Any]:
    assert config()["data"]["store_dir"] == "data/stores/columbiagaze"
    return {"config": config(), "starts": [start]}


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_relative_store_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    store = project / "data" / "stores" / "columbiagaze"
    store.mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    start = {"folder": str(project)} if is_recorded else {}
    run = elsewhere / "kept" if is_recorded else project / "runs" / "sweep" / "0"
    found = with_found_store(run, recorded(**start))
    assert found["data"]["store_dir"] == str(store)
    assert found["data"]["datamodule"]["store_dir"] == str(store)
    # Nowhere to be found: the path is left to the message that says so.
    lost = recorded(folder=str(tmp_path / "gone"))
    assert with_found_store(elsewhere / "kept", lost) == lost["config"]
    monkeypatch.chdir(project)
    assert with_found_store(run, recorded(**start))["data"]["store_dir"].startswith("data/stores")
