"""What the report writes of studies: names of files, csv, LaTeX, no test listed twice."""

import csv
import re
import statistics

import pytest
from builders.small_reports import ROWS, values_of, write_study, write_undrawn
from builders.small_runs import change_run, study_plan

from common.report.command import write_report
from common.report.content import find_content
from common.report.tables.runs import unfinished_table


def test_equal_names_in_two_folders_are_two_studies(small_dir):
    write_study(small_dir / "old", study_plan(rows=("off",), seeds=(0,)))
    write_undrawn(small_dir)
    names = {path.name for path in (small_dir / "report/studies").glob("*.tex")}
    assert names == {"demo_table.tex", "demo_table_2.tex"}


def test_a_studys_name_leads_nowhere_and_is_no_latex(small_dir):
    jobs = list(small_dir.glob("demo_table/*_seed*"))
    for job in jobs:
        change_run(job, {"config.study.name": "../../x}", "config.study.title": "a\n\\input{b}"})
    write_undrawn(small_dir, small_dir / "report")
    assert {path.suffix for path in (small_dir / "report/studies").iterdir()} == {".csv", ".tex"}
    (path,) = (small_dir / "report/studies").glob("*.tex")
    assert not list(small_dir.glob("x*"))
    assert not any(line.startswith("\\input") for line in path.read_text().splitlines())


def test_versions_of_the_code_are_named(small_dir):
    change_run(small_dir / "demo_table/both_seed1", {"code_sha256": "89abcdef0123"})
    assert "2 versions of the code: 0123abcd, 89abcdef." in write_undrawn(small_dir)


def test_the_report_of_a_study_lists_no_test_twice(small_dir):
    write_report(small_dir)
    content = find_content(small_dir)
    assert (content.groups, content.other_runs) == ([], [])
    assert unfinished_table(content.results).rows == []
    page = (small_dir / "report/index.html").read_text()
    assert {path.name for path in (small_dir / "report/images").iterdir()} >= {
        *("study_1_1.png", "study_1_curves_1.png", "study_1_test_4.png")
    }
    assert "mAP [%] by sharpness" in page
    assert "Learning curves" not in page


def test_csv_round_trip(whole_dir, tmp_path):
    write_undrawn(whole_dir, tmp_path)
    with (tmp_path / "studies/demo_table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == list(ROWS)
    for row in rows:
        values = [100 * value for value in values_of(whole_dir, row["row"])]
        assert float(row["mean"]) == pytest.approx(statistics.fmean(values), abs=1e-12)
        assert float(row["std"]) == pytest.approx(statistics.stdev(values), abs=1e-12)
        assert (row["num_seeds"], row["num_planned"], row["missing"]) == ("3", "3", "")
    assert float(rows[1]["difference"]) == pytest.approx(
        float(rows[1]["mean"]) - float(rows[0]["mean"]), abs=1e-12
    )
    with (tmp_path / "studies/demo_table_trainings.csv").open(newline="") as file:
        trainings = list(csv.DictReader(file))
    assert [(line["row"], line["seed"]) for line in trainings] == [
        (row, seed) for row in ROWS for seed in "012"
    ]
    assert [float(line["value"]) for line in trainings[:3]] == pytest.approx(
        [100 * value for value in values_of(whole_dir, "off")], abs=1e-12
    )


def test_latex_is_balanced_and_escaped(small_dir):
    for path in small_dir.glob("*/*"):
        titles = {"off": "[a] & b_c < 5 %", "both": r"x\y {z}"}
        change_run(path, {"config.study.rows": titles})
    write_undrawn(small_dir)
    text = (small_dir / "report/studies/demo_table.tex").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    body = "\n".join(lines)
    assert r"{[}a] \& b\_c $<$ 5 \% & 2 &" in body
    assert r"x\textbackslash{}y \{z\} & 2 &" in body
    assert r"\label{tab:demo_table_1}" in body
    for name in ("table", "tabular"):
        assert body.count(rf"\begin{{{name}}}") == body.count(rf"\end{{{name}}}") == 1
    bare = re.sub(r"\\[{}&%$#_\\]", "", body.replace(r"\\" + "\n", "\n"))
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert "%" not in bare
    rows = [line for line in lines if line.endswith(r"\\")]
    alignment = re.search(r"\\begin{tabular}{([lr]+)}", body).group(1)
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(alignment)}
