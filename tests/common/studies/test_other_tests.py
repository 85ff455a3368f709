"""A run's tests on further data sets: each is done once; other conventions are refused first."""

import json
from pathlib import Path

import pytest
from builders.small_store import write_small_store
from builders.small_training import SMALL_OPTIONS, one_thread
from builders.study_configs import running

from common.studies.job import run_job
from common.studies.other_tests import check_other_tests, missing_tests, run_other_tests
from common.studies.study import unfinished_jobs


@pytest.fixture
def two_stores(tmp_path: Path) -> Path:
    folder = tmp_path / "stores"
    write_small_store(folder / "demo_gaze", num_subjects=8)
    write_small_store(folder / "demo_gaze_b", num_subjects=5)
    write_small_store(folder / "eyediap", gaze_convention="eyediap_geometric")
    return folder


def test_a_run_is_tested_on_the_other_data_set_too(
    two_stores: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_dir = tmp_path / "run"
    # What a user types needs no trust of its own, also in the test after the training.
    (tmp_path / "my_losses.py").write_text("from flame.training.losses import AngularLoss as Mine")
    monkeypatch.syspath_prepend(tmp_path)
    typed = [
        "sweeps=demo_flame_table", "model=flame_b", "data=demo_gaze", f"paths.run_dir={run_dir}",
        f"paths.store_dir={two_stores}", *SMALL_OPTIONS, "trainer.max_epochs=1",
        "trainer.precision=32-true", "callbacks.pictures=null",
        "model.module.loss._target_=my_losses.Mine",
    ]  # fmt: skip
    with running(*typed) as config, one_thread(), caplog.at_level("INFO"):
        assert missing_tests(run_dir, config) == ["demo_gaze_b"]
        assert "test/angular_error_deg" in run_job(config, {})
        assert missing_tests(run_dir, config) == run_other_tests(run_dir, config) == []
    assert any(said.endswith("predict/demo_gaze_b_test") for said in caplog.messages)
    for folder, tested_on in (("test", "demo_gaze"), ("predict/demo_gaze_b_test", "demo_gaze_b")):
        (path,) = (run_dir / folder).glob("*.json")
        summary = json.loads(path.read_text())
        assert (summary["trained_on"], summary["tested_on"]) == ("demo_gaze", tested_on)
    run_dir.rename(tmp_path / "run_seed0")
    study = {"rows": ["run"], "seeds": [0]}
    assert unfinished_jobs(tmp_path, study) == {}
    (tmp_path / "run_seed0" / "predict").rename(tmp_path / "lost")
    assert unfinished_jobs(tmp_path, study) == {"run_seed0": True}


def test_a_further_data_set_with_another_convention_is_refused_before_the_training(
    two_stores: Path,
) -> None:
    typed = ["model=flame_b", "data=demo_gaze", "also_test=[eyediap]", *SMALL_OPTIONS]
    with running(*typed, f"paths.store_dir={two_stores}") as config:
        with pytest.raises(ValueError, match="allow_other_convention=true"):
            check_other_tests(Path("RUN"), config)
        check_other_tests(Path("RUN"), {**config, "allow_other_convention": True})
        with pytest.raises(ValueError, match="no_store"):
            check_other_tests(
                Path("RUN"), {**config, "paths": {**config["paths"], "store_dir": "no_store"}}
            )
