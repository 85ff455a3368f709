"""The report's command: what it writes and prints, and that reporting twice changes nothing."""

import csv

import pytest
from builders.small_reports import write_undrawn
from builders.small_runs import write_run, write_test

from common.report.command import main


def test_csv_round_trip(gaze_dir):
    write_undrawn(gaze_dir)
    with (gaze_dir / "report/table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["sweep/0", "b"]
    expected = {
        **{"model": "flame", "model_key": "mmtm-fusion", "width": "16", "seed": "0"},
        **{"trained_on": "demo_gaze", "tested_on": "demo_gaze", "part": "test"},
        **{"split": "cross_person_seed0", "eye_rule": "parity", "status": "finished"},
        **{"num_epochs": "3", "max_epochs": "3", "precision": "32-true", "commit": "0123abcd"},
    }
    assert expected.items() <= rows[0].items()
    assert float(rows[0]["mean_deg"]) == 3.25
    assert float(rows[0]["subjects_high_deg"]) == 3.875
    assert float(rows[0]["train_mean_baseline_deg"]) == 12.345
    assert rows[1]["std_deg"] == rows[1]["subjects_low_deg"] == ""


def test_latex_has_one_table_a_protocol(gaze_dir):
    write_test(write_run(gaze_dir / "other"), part="val")
    write_undrawn(gaze_dir)
    text = (gaze_dir / "report/table.tex").read_text()
    assert text.count(r"\begin{tabular}") == 2
    assert r"3.25 $\pm$ 1.50" in text


def test_the_command_prints_tables_and_writes_where_it_is_told(gaze_dir, tmp_path, capsys):
    main([str(gaze_dir), "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert printed.index("mean of the train part") < printed.index("3.25 +- 1.50")
    assert printed.endswith(f"-> {tmp_path / 'out/index.html'}\n")
    names = {"index.html", "images", "table.md", "table.csv", "table.tex"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert not (gaze_dir / "report").exists()


def test_a_report_of_the_reported_folder_changes_nothing(gaze_dir):
    assert write_undrawn(gaze_dir) == write_undrawn(gaze_dir)


def test_what_a_killed_report_left_goes(gaze_dir):
    write_undrawn(gaze_dir)
    before = sorted((gaze_dir / "report").rglob("*"))
    for place in ("report", "report/images"):
        # A process of this number there is not.
        (gaze_dir / place / f".table.{2**22 + 1}.png").touch()
    write_undrawn(gaze_dir)
    assert sorted((gaze_dir / "report").rglob("*")) == before


def test_a_single_run_can_be_reported(gaze_dir):
    assert "flame_b" in write_undrawn(gaze_dir / "b")


def test_a_folder_without_runs_says_what_to_type(tmp_path):
    with pytest.raises(ValueError, match=rf"{tmp_path}.*run\.json.*python train\.py"):
        write_undrawn(tmp_path)
