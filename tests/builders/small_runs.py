"""Run folders as `common.runs.run` and the results of both lines leave them; small numbers."""

import json
import zlib
from pathlib import Path

import numpy as np
import polars as pl

from common.evaluation.average_precision import lam_precision

BASELINES = {"head_pose_deg": 9.876, "train_mean_deg": 12.345}
HEADER = "epoch,step,test/angular_error_deg,train/loss,val/angular_error_deg"
START = {"time": "2026-11-21T10:00:00+00:00", "command": ["train.py", "model=flame", "name=a b"]}


def gaze_angle_summary(**changes):
    return {
        "kind": "gaze_angle_test",
        "model": "mmtm-fusion",
        "trained_on": "demo_gaze",
        "tested_on": "demo_gaze",
        "part": "test",
        "eye_rule": "parity",
        "unit": "deg",
        "num_samples": 40,
        "mean_deg": 3.25,
        "std_deg": 1.5,
        "interval_over_samples_deg": {"low": 3.0, "high": 3.5},
        "interval_over_subjects_deg": {"low": 2.75, "high": 3.875},
        "baselines": BASELINES,
        "by": {"subject": [{"slice": "0001", "num_samples": 40, "mean_deg": 3.25}]},
        **changes,
    }


def write_run(
    folder: Path, *, status="finished", name="flame", seed=0, time=START["time"], debug=None
):
    folder.mkdir(parents=True)
    snapshot = {
        "status": status,
        "starts": [{**START, "time": time}],
        "choices": {"model": name, "debug": debug},
        "config": {
            "seed": seed,
            "optimized_metric": "val/angular_error_deg",
            "data": {"name": "demo_gaze"},
            "model": {"name": name, "key": "mmtm-fusion", "width": 16},
            "trainer": {"max_epochs": 3, "precision": "32-true"},
        },
        "data": {
            "name": "demo_gaze",
            "split": "cross_person_seed0",
            "recipe": {"gaze_convention": "columbia_target_angles"},
            "num_samples": {"train": 320, "test": 40},
        },
        "git": {"commit": "0123abcd", "changes": "diff"},
        "versions": {"torch": "2.15.0"},
        "machine": {"platform": "Linux", "devices": []},
    }
    (folder / "run.json").write_text(json.dumps(snapshot))
    return folder


def write_test(run: Path, where="test", **changes):
    path = run / where / "demo_gaze_demo_gaze_mmtm-fusion.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(gaze_angle_summary(**changes)))
    path.with_suffix(".png").write_bytes(b"a figure")


def write_log(run: Path, version: int, rows: list[str], header=HEADER):
    folder = run / "csv" / f"version_{version}"
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text("\n".join([header, *rows]) + "\n")


LAM_BASELINES = {"constant": 0.5, "head_pose": 0.6125, "sharpness": 0.53}
PROTOCOL = {"landmark_source": "mesh", "head_pose_source": "mesh", "stride": 13}
LAM_HEADER = "epoch,step,train/loss,val/loss,val/map"


def lam_slice(name, num_samples, num_positive, value):
    counts = {"num_samples": num_samples, "num_positive": num_positive}
    return {"slice": name, **counts, "map": value, "ap_lam": value, "ap_not_lam": value}


def lam_summary(**changes):
    return {
        "kind": "eye_contact_test",
        "unit": "mAP",
        "model": "gazepose",
        "trained_on": "demo_lam",
        "tested_on": "demo_lam",
        "part": "val",
        "stride": 13,
        "protocol": PROTOCOL | {"dropout": "gaussian"},
        "num_samples": 1200,
        "num_clips": 2,
        "num_positive": 300,
        "map": 0.77018,
        "ap_lam": 0.60001,
        "ap_not_lam": 0.94035,
        "accuracy": 0.875,
        "confusion": [[800, 100], [50, 250]],
        "interval_over_clips": {"low": 0.7, "high": 0.8251},
        "baselines": LAM_BASELINES,
        "by": {
            "sharpness": [lam_slice("low", 600, 150, 0.7), lam_slice("high", 600, 150, 0.85)],
            "face_size": [
                lam_slice("below 60 px", 400, 0, None),
                lam_slice("60+ px", 800, 300, 0.8),
            ],
            "head_yaw": [lam_slice("0 to 15 deg", 1200, 300, 0.77018)],
            "track_length": [lam_slice("1200", 1200, 300, 0.77018)],
            "clip": [lam_slice("a", 700, 100, 0.8), lam_slice("b", 500, 200, 0.75)],
        },
        **changes,
    }


def write_lam_run(
    folder: Path,
    *,
    status="finished",
    model="gazepose",
    priors="all",
    dropout="gaussian",
    seed=0,
    time="2026-11-22T10:00:00+00:00",
    **prior_changes,
):
    folder.mkdir(parents=True)
    used = {"head": priors in ("all", "head"), "landmarks": priors in ("all", "landmarks")}
    config = {
        "seed": seed,
        "optimized_metric": "val/map",
        "data": {"name": "demo_lam"},
        "priors": None if model == "gazelstm" else used | {"split": 1.0} | prior_changes,
        "dropout": {"kind": dropout, "margin": 0.2, "threshold": 0.2, "drop_rate": 0.2},
        "model": {"name": model, "key": model, "backbone": {"width": 16}},
        "trainer": {"max_epochs": 10, "precision": "32-true"},
    }
    snapshot = {
        "status": status,
        "starts": [{"time": time, "command": ["train.py", f"model={model}", "data=demo_lam"]}],
        "choices": {"model": model, "priors": priors, "dropout": dropout},
        "config": config,
        "data": {"name": "demo_lam", "split": "published", "num_samples": {"val": 1200}},
        "git": {"commit": "0123abcd", "changes": ""},
        "versions": {"torch": "2.15.0"},
        "machine": {"platform": "Linux", "devices": []},
    }
    (folder / "run.json").write_text(json.dumps(snapshot))
    return folder


def write_lam_test(run: Path, where="test", **changes):
    summary = lam_summary(**changes)
    path = run / where / f"demo_lam_demo_lam_{summary['model']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary))
    path.with_suffix(".png").write_bytes(b"a figure")
    return path


def study_plan(name="demo_table", rows=("off", "head", "both"), seeds=(0, 1, 2), **changes):
    return {
        "name": name,
        "title": f"Title of {name}",
        "rows": {row: f"row {row}" for row in rows},
        "seeds": list(seeds),
        "published": None,
        **changes,
    }


def write_lam_job(study_dir: Path, plan, row, seed, *, skill=0.5, run_changes=None, **run_options):
    """Write a finished job of a study with predictions of 6 clips that deserve its mAP."""
    run = write_lam_run(study_dir / f"{row}_seed{seed}", seed=seed, **run_options)
    change_run(run, {"config.study": plan, "config.ablation": row, **(run_changes or {})})
    scores, labels, clips = lam_scores(skill, row, seed)
    precision = lam_precision(scores, labels)
    accuracy = float(((scores >= 0.5) == (labels == 1)).mean())
    path = write_lam_test(run, map=precision.mean, accuracy=accuracy)
    predictions = pl.DataFrame({"uid": clips, "label": labels, "score": scores})
    predictions.write_parquet(path.with_name(f"{path.stem}_predictions.parquet"))
    curve = [f"{epoch},9,,0.5,{precision.mean - 0.1 / (epoch + 1)}" for epoch in range(4)]
    write_log(run, 0, curve, LAM_HEADER)
    return run


def lam_scores(skill, row, seed, num_clips=6, num=40):
    """Return scores, labels and clips; labels are the same for all rows and seeds."""
    labels = (np.random.default_rng(0).random(num_clips * num) < 0.3).astype(np.int64)
    noise = np.random.default_rng([seed, zlib.crc32(row.encode())]).random(num_clips * num)
    clips = np.repeat([f"clip{number}" for number in range(num_clips)], num)
    return np.clip(skill * labels + (1 - skill) * noise, 0, 1), labels, clips


def write_gaze_job(
    study_dir: Path, plan, row, seed, *, errors_deg, tests=("demo_gaze",), data=None
):
    """Write a finished job of a study with the errors of 4 people on every test data set."""
    data = data or tests[0]
    run = write_run(study_dir / f"{row}_seed{seed}", seed=seed)
    change_run(run, {"config.study": plan, "config.ablation": row, "config.data.name": data})
    change_run(run, {"data.name": data})
    for tested_on in tests:
        where = "test" if tested_on == data else f"predict/{tested_on}_test"
        write_gaze_test(run, where, errors_deg[tested_on], data, tested_on)
    return run


def write_gaze_test(run: Path, where, mean_deg, trained_on, tested_on, num_people=4, num=10):
    seed = json.loads((run / "run.json").read_text())["config"]["seed"]
    generator = np.random.default_rng([seed, zlib.crc32(run.name.encode())])
    errors = mean_deg + generator.normal(0, 0.3, num_people * num)
    people = [f"{number:04d}" for number in range(num_people) for _ in range(num)]
    path = run / where / f"{trained_on}_{tested_on}_mmtm-fusion.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    summary = gaze_angle_summary(
        trained_on=trained_on,
        tested_on=tested_on,
        split="cross_person_seed0",
        gaze_convention="columbia_target_angles",
        mean_deg=float(errors.mean()),
        std_deg=float(errors.std(ddof=1)),
    )
    path.write_text(json.dumps(summary))
    pl.DataFrame({"loss_3d": errors, "subject": people}).write_csv(path.with_suffix(".csv"))


def change_run(run: Path, changes):
    """Set entries of a run.json by their dotted paths."""
    snapshot = json.loads((run / "run.json").read_text())
    snapshot.pop("seal", None)  # changed on purpose
    for path, value in changes.items():
        *groups, key = path.split(".")
        values = snapshot
        for group in groups:
            values = values.setdefault(group, {})
        values[key] = value
    (run / "run.json").write_text(json.dumps(snapshot))
