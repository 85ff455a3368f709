"""Make the W&B workspace of a study: its rows' results, curves, precision over recall, samples.

It needs `wandb-workspaces` in an environment of its own (its wandb brings a protobuf that
mediapipe does not take), and `wandb login`:

    python -m venv ~/dashboards && ~/dashboards/bin/pip install wandb-workspaces
    ~/dashboards/bin/python docs/dashboards/study.py --entity ME --study table3

For the FLAME line: --study flame_table --line gaze_angle
"""

import argparse
import logging

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws

LOG = logging.getLogger(__name__)
STEP = "trainer/global_step"
RESULTS = {"eye_contact": "map", "gaze_angle": "angular_error_deg"}
CURVES = ["train/loss", "val/loss", "lr-Adam"]
PICTURES = {
    "eye_contact": ["val/samples", "val/decisions", "test/samples", "test/worst", "test/figure"],
    "gaze_angle": ["val/samples", "test/samples", "test/worst", "test/figure"],
}
# W&B's preset, its fields, and the table that a run logs for it.
CHARTS = {
    "eye_contact": [
        (
            "wandb/area-under-curve/v0",
            {"x": "recall", "y": "precision", "class": "class"},
            "test/precision_recall_table",
        ),
        (
            "wandb/confusion_matrix/v1",
            {"Actual": "Actual", "Predicted": "Predicted", "nPredictions": "nPredictions"},
            "test/confusion_table",
        ),
    ],
    "gaze_angle": [
        ("wandb/scatter/v0", {"x": "true", "y": "predicted"}, "test/yaw_scatter_table"),
        ("wandb/scatter/v0", {"x": "true", "y": "predicted"}, "test/pitch_scatter_table"),
    ],
}
WORST = "test/worst_table"


def study_workspace(entity: str, project: str, study: str, line: str) -> ws.Workspace:
    """Return the workspace: runs of the study, grouped by row, with its panels.

    Args:
        entity: user or team.
        project: where the runs are.
        study: its name, the runs' group.
        line: ``eye_contact`` or ``gaze_angle``.
    """
    result = RESULTS[line]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=study,
        sections=[
            ws.Section("Results by row", [results(f"test/{result}"), table()], is_open=True),
            ws.Section("Curves", [curve(f"val/{result}"), *map(curve, CURVES)], is_open=True),
            ws.Section("Predictions", [chart(*told) for told in CHARTS[line]]),
            ws.Section("Samples", [pictures(key) for key in PICTURES[line]]),
        ],
        runset_settings=ws.RunsetSettings(
            # As conf/logger/wandb.yaml names a study's jobs.
            filters=ws.And(ws.Metric("Group") == study),
            groupby=[ws.Metric("JobType")],
            pinned_columns=[f"summary:test/{result}", "summary:status", "config:seed"],
        ),
    )


def results(metric: str) -> wr.BarPlot:
    """Return bars of a metric, mean and deviation over a row's seeds."""
    return wr.BarPlot(
        title=f"{metric}: mean and standard deviation over seeds",
        metrics=[metric],
        groupby="JobType",
        groupby_aggfunc="mean",
        groupby_rangefunc="stddev",
    )


def curve(metric: str) -> wr.LinePlot:
    """Return a metric by step, a line a row with its seeds' deviation."""
    return wr.LinePlot(
        title=metric, x=STEP, y=[metric], groupby_aggfunc="mean", groupby_rangefunc="stddev"
    )


def chart(preset: str, fields: dict[str, str], table_name: str) -> wr.CustomChart:
    """Return one of W&B's charts over a table that every run logs."""
    query = {"summaryTable": {"tableKey": table_name}}
    strings = {"title": table_name}
    return wr.CustomChart(
        query=query, chart_name=preset, chart_fields=fields, chart_strings=strings
    )


def pictures(key: str) -> wr.MediaBrowser:
    """Return the pictures of a name, a run beside the other."""
    return wr.MediaBrowser(title=key, media_keys=[key], num_columns=2)


def table() -> wr.WeavePanelSummaryTable:
    """Return the worst mistakes, with their pictures."""
    return wr.WeavePanelSummaryTable(table_name=WORST)


def main() -> None:
    """Save the workspace and say where it is."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entity", required=True, help="W&B user or team")
    parser.add_argument("--project", default="gaze-suite")
    parser.add_argument("--study", required=True, help="as in conf/sweeps, e.g. table3")
    parser.add_argument("--line", choices=sorted(RESULTS), default="eye_contact")
    asked = parser.parse_args()
    saved = study_workspace(asked.entity, asked.project, asked.study, asked.line).save()
    LOG.info("%s", saved.url)


if __name__ == "__main__":
    main()
