"""`train.py replay=RUN`: the same run again, or the reasons why it would not be."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.small_store import write_small_store
from builders.small_training import composed, one_thread, small_config
from hydra.errors import ConfigCompositionException

from common.runs.replay import compared, config_name, differences, replay, replayed_config
from common.runs.run import fit_and_test
from common.runs.snapshot import read_snapshot, software

SHORT = ["trainer.max_epochs=2"]
# What a run is compared by, and the least of a run that is equal to it.
STATE = {"code_sha256": "0", "git": {}, "versions": {}, "data": {}, "weights": {}}
FINISHED = {**STATE, "status": "finished", "starts": [{"code_sha256": "0"}]}


@pytest.fixture(scope="module", autouse=True)
def _code_as_it_is() -> Iterator[None]:
    """Whoever edits a file while this runs changes the code between a run and its replay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.runs.snapshot.code_sha256", lambda: "this code")
        yield


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    write_small_store(folder / "store")
    return folder


@pytest.fixture(scope="module")
def metrics(work_dir: Path) -> dict[str, float]:
    """Metrics of the run that is run again."""
    config = small_config(work_dir / "store", work_dir / "run", *SHORT)
    with one_thread():
        return fit_and_test(config, {"model": "flame"}, work_dir / "run")


def replay_here(run: Path, run_dir: Path, *overrides: str) -> dict[str, float]:
    """Do what ``train.py replay=RUN`` does."""
    typed = [f"replay={run}", f"paths.run_dir={run_dir}", *overrides]
    asked = composed("replay", *typed)
    with one_thread():
        return replay(replayed_config(asked), asked)


def edited_copy(run: Path, folder: Path, **entries: Any) -> Path:
    """Copy a run's run.json with other entries."""
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({**read_snapshot(run), **entries}))
    return folder


def test_a_replay_has_the_same_metrics_and_says_so(
    work_dir: Path, metrics: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    run, again = work_dir / "run", work_dir / "again"
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    with caplog.at_level("INFO"):
        assert replay_here(run, again) == metrics
    snapshot = read_snapshot(again)
    assert snapshot["replay_of"] == {
        "run": str(run),
        "differences": [],
        "changed": {},
        "equal": True,
        "metrics": {},
    }
    assert any("equal" in said and str(run) in said for said in caplog.messages)
    assert snapshot["choices"] == {"model": "flame"}
    assert snapshot["config"]["replay"] == str(run)
    # All files are the new run's own.
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    files = {path.relative_to(run) for path in before}
    assert files == {path.relative_to(again) for path in again.rglob("*")}


def test_the_store_may_have_moved(work_dir: Path, metrics: dict[str, float]) -> None:
    shutil.copytree(work_dir / "store", work_dir / "moved")
    config = read_snapshot(work_dir / "run")["config"]
    asked = composed(
        *("replay", f"replay={work_dir / 'run'}", "paths.run_dir=NEW"),
        f"data.store_dir={work_dir / 'moved'}",
    )
    moved = replayed_config(asked)
    assert moved["data"]["datamodule"]["store_dir"] == str(work_dir / "moved")
    assert moved["data"]["preprocessor"]["store_dir"] == str(work_dir / "moved")
    assert moved["callbacks"]["checkpoint"]["dirpath"] == "NEW/checkpoints"
    # Nothing else is another.
    assert moved["model"]["net"] == config["model"]["net"]
    assert moved["trainer"] | {"default": 0} == config["trainer"] | {"default": 0}


@pytest.mark.parametrize(
    "typed", ["seed=1", "model=flame", "data.datamodule.batch_size=2", "trainer.precision=16"]
)
def test_what_would_make_another_run_cannot_be_typed(typed: str) -> None:
    with pytest.raises(ConfigCompositionException, match=typed.split("=")[0].split(".")[-1]):
        composed("replay", "replay=RUN", "paths.run_dir=x", typed)


def test_what_differs_is_refused_unless_allowed(work_dir: Path, metrics: dict[str, float]) -> None:
    recorded = read_snapshot(work_dir / "run")
    other = edited_copy(
        work_dir / "run",
        work_dir / "edited",
        versions=recorded["versions"] | {"torch": "1.0"},
        starts=[recorded["starts"][0] | {"code_sha256": "0"}],
        data=recorded["data"] | {"table_sha256": "0"},
        metrics=metrics | {"train/loss": metrics["train/loss"] + 0.5},
    )
    refused = r"(?s)edited .*code: .*torch: 1\.0 .*table_sha256.*allow_differences=true"
    with pytest.raises(ValueError, match=refused):
        replay_here(other, work_dir / "refused")
    assert not (work_dir / "refused").exists()
    allowed = ["allow_differences=true", "trainer.accelerator=auto"]
    assert replay_here(other, work_dir / "allowed", *allowed) == metrics
    snapshot = read_snapshot(work_dir / "allowed")
    entry = snapshot["replay_of"]
    assert entry["changed"] == {"accelerator": "auto"}
    assert snapshot["config"]["trainer"]["accelerator"] == "auto"
    assert len(entry["differences"]) == 3
    assert not entry["equal"]
    assert list(entry["metrics"]) == ["train/loss"]
    assert entry["metrics"]["train/loss"]["difference"] == pytest.approx(-0.5)


def test_a_resumed_run_is_run_from_its_first_start(
    work_dir: Path, metrics: dict[str, float]
) -> None:
    run = work_dir / "resumed"
    last = f"ckpt_path={run / 'checkpoints' / 'last.ckpt'}"
    bare = ["test=false", "callbacks.pictures=null"]
    for overrides in (["trainer.max_epochs=1"], [*SHORT, last]):
        with one_thread():
            fit_and_test(small_config(work_dir / "store", run, *bare, *overrides), {}, run)
    assert len(read_snapshot(run)["starts"]) == 2
    assert read_snapshot(run)["config"]["ckpt_path"] == last.removeprefix("ckpt_path=")
    again = replay_here(run, work_dir / "in_one_go")
    assert again == read_snapshot(run)["metrics"]
    assert again.items() <= metrics.items()
    assert read_snapshot(work_dir / "in_one_go")["config"]["ckpt_path"] is None


@pytest.mark.slow
def test_a_run_that_began_with_weights_begins_with_the_same_ones(
    work_dir: Path, metrics: dict[str, float]
) -> None:
    weights, moved = work_dir / "weights.ckpt", work_dir / "moved.ckpt"
    shutil.copy(work_dir / "run" / "checkpoints" / "last.ckpt", weights)
    run, overrides = work_dir / "begun", [f"ckpt_path={weights}", "trainer.max_epochs=3"]
    with one_thread():
        fit_and_test(small_config(work_dir / "store", run, *overrides), {}, run)
    assert list(read_snapshot(run)["weights"]) == [str(weights)]
    weights.rename(moved)
    with pytest.raises(ValueError, match=r"weights\.ckpt"):
        replay_here(run, work_dir / "begun_never")
    replay_here(run, work_dir / "begun_again", f"ckpt_path={moved}")
    assert read_snapshot(work_dir / "begun_again")["replay_of"]["equal"]


def test_a_place_the_run_had_not_is_an_error(work_dir: Path, metrics: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"model\.init_checkpoint=weights\.pth"):
        replay_here(work_dir / "run", work_dir / "x", "model.init_checkpoint=weights.pth")


def test_an_unfinished_run_has_nothing_to_compare_with() -> None:
    (said,) = differences(FINISHED | {"status": "failed"}, STATE)
    assert "failed" in said


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, "outside git then, outside git now"),
        (
            {"commit": "a" * 40, "changes": "-x"},
            {"commit": "b" * 40, "changes": "", "untracked": []},
            "commit aaaaaaaaaaaa with uncommitted changes then, commit bbbbbbbbbbbb now",
        ),
        (
            {"commit": "a" * 40, "changes": ""},
            {"commit": "a" * 40, "untracked": ["new.py"]},
            "commit aaaaaaaaaaaa with other uncommitted changes",
        ),
    ],
)
def test_other_code_is_named_by_its_commit(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    recorded = FINISHED | {"git": before}
    (said,) = differences(recorded, STATE | {"code_sha256": "1", "git": after})
    assert expected in said


def test_code_that_changed_between_a_runs_starts_cannot_be_had_again() -> None:
    starts = [{"code_sha256": "0"}, {"code_sha256": "1"}]
    assert differences(FINISHED | {"starts": starts}, STATE) == [
        "code: it changed between the run's starts"
    ]


def test_weights_are_known_by_their_content_and_not_by_their_place() -> None:
    recorded = FINISHED | {"weights": {"old.pth": "0"}}
    assert differences(recorded, STATE | {"weights": {"new.pth": "0"}}) == []
    for now, named in (({"new.pth": "1"}, "new.pth"), ({}, "old.pth")):
        (said,) = differences(recorded, STATE | {"weights": now})
        assert f"start from: {named} is not" in said


def test_another_commit_with_the_same_code_is_no_difference() -> None:
    now = {**software(), "data": {}, "weights": {}}
    recorded = {
        **now,
        "status": "finished",
        "git": {"commit": "f" * 40, "changes": ""},
        "starts": [{"code_sha256": now["code_sha256"]}],
    }
    assert differences(recorded, now) == []


def test_equal_means_to_the_last_bit() -> None:
    nan = float("nan")
    assert compared({"a": 0.1, "b": nan}, {"b": nan, "a": 0.1}) == {"equal": True, "metrics": {}}
    found = compared({"a": 0.1, "b": 1.0}, {"a": 0.1 + 1e-16, "c": 2.0})
    assert not found["equal"]
    assert found["metrics"]["a"]["difference"] == pytest.approx(1e-16, rel=0.5)
    assert found["metrics"]["b"] == {"recorded": 1.0, "now": None, "difference": None}
    assert set(found["metrics"]) == {"a", "b", "c"}


def test_only_a_replay_starts_from_its_own_file() -> None:
    assert config_name(["train.py", "replay=runs/x", "trainer.accelerator=cpu"]) == "replay"
    assert config_name(["train.py", "-m", "replay=runs/x,runs/y"]) == "replay"
    assert config_name(["train.py", "model=flame", "name=replay=x"]) == "train"
