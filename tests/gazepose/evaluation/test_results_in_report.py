"""What a test writes is what ``python -m common.report`` reads."""

from pathlib import Path

from builders.small_predictions import small_predictions

from common.report.reading import read_results
from common.report.tables.groups import group_by_protocol
from gazepose.evaluation.files import write_results


def test_the_report_reads_what_a_test_writes(tmp_path: Path) -> None:
    described = {
        **{"model": "gazepose", "trained_on": "demo_lam", "tested_on": "demo_lam"},
        **{"part": "val", "stride": 13, "protocol": {"dropout": "gaussian", "smoothing": None}},
    }
    predictions = small_predictions()
    write_results(predictions, described, tmp_path / "original/predict/demo_lam_val", "a_b_c")
    results = read_results(tmp_path)
    assert results.unread == []
    (group,) = group_by_protocol(results.tests)
    protocol = group.protocol
    assert (protocol.num_samples, len(protocol.clips)) == (predictions.height, 4)
    assert protocol.num_positive == predictions["label"].sum()
    assert [row[1] for row in group.table.rows] == [
        *("constant score", "head pose alone", "sharpness alone", "gazepose")
    ]
    titles = ["sharpness", "face height [px]", "face size [px]", "|head yaw| [deg]"]
    titles += ["|head pitch| [deg]", "track [frames]"]
    assert [sliced.title for sliced in group.slicings] == titles
