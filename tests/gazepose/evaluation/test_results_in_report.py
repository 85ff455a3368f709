"""What a test writes is what ``python -m common.report`` reads."""

import numpy as np
import polars as pl

from common.report.reading import read_results
from common.report.tables.groups import group_by_protocol
from gazepose.evaluation.files import write_results

NUM = 60


def predictions():
    rng = np.random.default_rng(0)
    texts = {"unique_id": "", "part": "val", "head_pose_source": "mesh", "landmark_source": "mesh"}
    zeros = dict.fromkeys(("x1", "y1", "head_pitch_deg", "head_roll_deg"), 0.0)
    labels = np.arange(NUM) % 4 == 0
    return pl.DataFrame(
        {
            "uid": [f"clip{number % 3}" for number in range(NUM)],
            "trackid": [f"track{number % 6}" for number in range(NUM)],
            "frame": range(NUM),
            "label": labels.astype(np.int8),
            "score": np.clip(labels * 0.4 + rng.random(NUM) * 0.6, 0, 1),
            "x2": rng.uniform(20, 200, NUM),
            "y2": rng.uniform(20, 200, NUM),
            "sharpness": rng.uniform(0, 500, NUM),
            "sharpness_p": rng.random(NUM),
            "head_yaw_deg": rng.normal(0, 30, NUM),
            "track_length": rng.integers(10, 1000, NUM),
        }
    ).with_columns(**{name: pl.lit(value) for name, value in (texts | zeros).items()})


def test_the_report_reads_what_a_test_writes(tmp_path):
    described = {
        **{"model": "gazepose", "trained_on": "demo_lam", "tested_on": "demo_lam"},
        **{"part": "val", "stride": 13, "protocol": {"dropout": "gaussian", "smoothing": None}},
    }
    write_results(predictions(), described, tmp_path / "original/predict/demo_lam_val", "a_b_c")
    results = read_results(tmp_path)
    assert results.unread == []
    (group,) = group_by_protocol(results.tests)
    protocol = group.protocol
    assert (protocol.num_samples, protocol.num_positive, len(protocol.clips)) == (NUM, NUM // 4, 3)
    assert [row[1] for row in group.table.rows] == [
        *("constant score", "head pose alone", "sharpness alone", "gazepose")
    ]
    titles = ["sharpness", "face size [px]", "|head yaw| [deg]", "|head pitch| [deg]"]
    titles += ["track [frames]"]
    assert [sliced.title for sliced in group.slicings] == titles
