import json
from pathlib import Path

import numpy as np
import pytest
import torch

from flame.data.statistics import Statistics, load_statistics, train_statistics

RANGES = {"gaze_min": -0.1, "gaze_max": 0.2, "head_pose_min": -0.3, "head_pose_max": 0.4}


def test_one_range_for_all_components():
    gaze = np.array([[0.1, -0.3], [0.2, 0.0]])
    head_pose = np.array([[0.0, 0.5, -0.1], [0.3, 0.2, 0.7]])
    assert train_statistics(gaze, head_pose) == Statistics(-0.3, 0.2, -0.1, 0.7)


def test_published_ranges_of_columbia_are_15_and_30_degrees():
    statistics = load_statistics("columbiagaze")
    expected = np.deg2rad([-15, 15, -30, 30])
    np.testing.assert_allclose(list(statistics.to_dict().values()), expected, rtol=1e-12)


def test_published_eyediap_values_normalise_as_the_original_did():
    """Values recorded from the original's forward_propagation (float32)."""
    statistics = load_statistics("eyediap")
    gaze = torch.tensor([-0.016939434777210133, 0.17896359293901115])
    head_pose = torch.tensor([-0.4335532470241954, 0.06024347306558253, -0.17472565831264808])
    normalised = statistics.normalise_gaze(gaze)
    assert normalised.dtype == torch.float32
    torch.testing.assert_close(
        normalised, torch.tensor([0.41747042536735535, 0.8135330080986023]), rtol=0, atol=0
    )
    torch.testing.assert_close(
        statistics.normalise_head_pose(head_pose),
        torch.tensor([0.2455534189939499, 0.44796714186668396, 0.351650208234787]),
        rtol=0,
        atol=0,
    )


def test_normalise_and_denormalise_round_trip():
    gaze = np.random.default_rng(0).uniform(-0.3, 0.3, (20, 2))
    for statistics in map(load_statistics, ("columbiagaze", "eyediap", "mpiigaze")):
        again = statistics.denormalise_gaze(statistics.normalise_gaze(gaze))
        np.testing.assert_allclose(again, gaze)


def test_ends_of_the_range_become_0_and_1():
    statistics = Statistics(-0.25, 0.5, -1.0, 1.0)
    np.testing.assert_array_equal(statistics.normalise_gaze(np.array([-0.25, 0.5])), [0, 1])


def test_dict_round_trip_ignores_other_keys():
    statistics = Statistics(-0.1, 0.2, -0.3, 0.4)
    assert Statistics.from_dict(statistics.to_dict() | {"source": "x"}) == statistics
    with pytest.raises(ValueError, match=r"head_pose_max.*gaze_min, gaze_max"):
        Statistics.from_dict({"gaze_min": 0, "gaze_max": 1, "head_pose_min": 0})


def test_ranges_of_nothing_are_refused():
    gaze, head_pose = np.array([[0.0, 0.1]]), np.zeros((1, 3))
    with pytest.raises(ValueError, match=r"head_pose.* 0\.0.* 0\.0"):
        train_statistics(gaze, head_pose)
    with pytest.raises(ValueError, match=r"^gaze.* empty"):
        train_statistics(gaze[:0], head_pose)
    with pytest.raises(ValueError, match=r"^head_pose.* empty"):
        train_statistics(gaze, head_pose * np.nan)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"name": "mine", "train": ["s1"]}, "gaze_min, .*name, train"),
        (RANGES | {"gaze_max": None}, "NoneType"),
        (RANGES | {"gaze_max": -0.1}, r"gaze.* -0\.1.* -0\.1"),
        ([1, 2], "list"),
    ],
)
def test_what_is_no_file_of_ranges_is_refused_by_its_name(
    tmp_path: Path, content: object, said: str
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"mine\.json.*{said}"):
        load_statistics(path)


def test_unknown_data_set_lists_the_known():
    with pytest.raises(ValueError, match=r"'gaze360'.*columbiagaze, eyediap, mpiigaze"):
        load_statistics("gaze360")
