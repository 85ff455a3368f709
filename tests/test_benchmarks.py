"""What the benchmarks measure; not how fast anything is."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders.benchmarks import BENCHMARKS_DIR, benchmark
from scipy.io import savemat

from common.faces.found_faces import FoundFace
from common.faces.tracking import TrackingSettings


def test_peak_memory_counts_in_mib_what_was_held_once_and_nothing_of_the_parent() -> None:
    held = np.ones(300 * 2**20 // 8)
    code = """
import numpy as np
from peak_memory import peak_memory_mib
before = peak_memory_mib()
np.ones(100 * 2**20 // 8)
print(before, peak_memory_mib())
"""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=BENCHMARKS_DIR, check=True, capture_output=True, text=True)
    before, peak = map(float, run.stdout.split())
    assert 10 < before < held.nbytes / 2**20
    assert 90 < peak - before < 130


def test_the_memory_of_training_counts_adams_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    bench_flame = benchmark(monkeypatch, "bench_flame")
    optimizers = []
    adam = bench_flame.torch.optim.Adam

    def remembered(*arguments: object) -> object:
        optimizers.append(adam(*arguments))  # type: ignore[arg-type]
        return optimizers[-1]

    monkeypatch.setattr(bench_flame.torch.optim, "Adam", remembered)
    monkeypatch.setattr(bench_flame.torch, "set_num_threads", lambda _: None)
    before, peak = bench_flame.training_memory_mib(1, 1, width=2)
    assert 0 < before <= peak
    states = optimizers[0].state.values()
    assert {int(state["step"]) for state in states} == {2}
    assert all(state["exp_avg_sq"].any() for state in states)


def test_a_missing_store_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        benchmark(monkeypatch, "bench_loader").main(["--store", str(tmp_path / "none")])
    assert "python preprocess.py data=demo_gaze" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pitch_yaw_roll", "ours"),
    [((0.3, 0, 0), (-0.3, 0, 0)), ((0, 0.4, 0), (0, -0.4, 0)), ((0, 0, 0.2), (0, 0, -0.2))],
)
def test_head_pose_labels_of_300w_lp_count_up_left_and_clockwise(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pitch_yaw_roll: tuple[float, ...],
    ours: tuple[float, ...],
) -> None:
    savemat(tmp_path / "x.mat", {"Pose_Para": [[*pitch_yaw_roll, 200.0, 200.0, -100.0, 0.001]]})
    found = benchmark(monkeypatch, "head_pose_accuracy").label_of(tmp_path / "x.mat")
    np.testing.assert_allclose(found, ours, atol=1e-12)


def test_a_head_is_found_by_a_box_whose_centre_lies_in_it_and_that_is_of_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads = np.array([[0.0, 0, 40, 50], [20, 0, 60, 50], [100, 0, 140, 50]])
    boxes = np.array([[22.0, 2, 58, 48], [0, 0, 56, 50], [130, 0, 170, 50]])
    found = benchmark(monkeypatch, "face_detection").heads_found
    # The second box has its centre in both of the first heads; the third lies beside its head.
    np.testing.assert_array_equal(found(heads, boxes), [True, True, False])
    np.testing.assert_array_equal(found(heads, boxes[:1]), [False, True, False])
    assert not found(heads, np.empty((0, 4))).any()


def test_faces_of_two_ways_agree_by_box_and_keep_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    following = benchmark(monkeypatch, "face_following")

    def faces(*places: tuple[int, float], confidence: float = 0.9) -> list[FoundFace]:
        return [
            FoundFace(track, np.array([x, 0, x + 10, 10]), confidence, None) for track, x in places
        ]

    searched = {frame: faces((0, 0), (1, 50)) for frame in range(6)}
    followed = {frame: faces((4, 1), (5, 80)) if frame < 3 else faces((6, 1)) for frame in range(6)}
    found = following.agreement(searched, followed)
    assert found.num == {"both": 6, "searched": 6, "followed": 3}
    assert found.num_changes == 1
    np.testing.assert_allclose(found.overlaps, 9 / 11)
    unsure = following.of_tracks_that_count(
        {**searched, 9: faces((2, 0))}, TrackingSettings(min_peak_confidence=0.9, min_length=3)
    )
    assert {face.track for found in unsure.values() for face in found} == {0, 1}
