"""The readers of `common`."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from builders.small_runs import (
    study_plan,
    write_gaze_job,
    write_lam_job,
    write_lam_run,
    write_lam_test,
    write_log,
    write_run,
    write_test,
)
from builders.small_videos import write_gray_video
from PIL import Image

from common.config.command_line import for_hydra
from common.media.image_codec import decode_image, encode_image
from common.media.photo import photo_size, read_photo
from common.media.video import read_frames
from common.report.command import write_report
from common.report.content import find_content
from common.report.study.files import study_markdown, study_text, write_study_files
from common.report.tables.csv_file import as_csv
from common.report.tables.formats import as_latex, as_markdown, as_text
from common.runs.folder import continued
from common.runs.replay import differences, replayed_config
from common.runs.snapshot import read_snapshot
from common.studies.study import read_failures, record_failure, unfinished_jobs
from common.training.checkpoints.reading import read_checkpoint
from fuzz.target import Target


def _make_photos(folder: Path) -> list[Path]:
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    photo = Image.fromarray(noise)
    exif = photo.getexif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA405] = 50
    for suffix in ("jpg", "png", "webp", "tif", "bmp", "gif", "ppm"):
        photo.save(folder / f"photo.{suffix}", **({"exif": exif} if suffix == "jpg" else {}))
    photo.save(folder / "progressive.jpg", progressive=True)
    Image.fromarray(noise[..., 0].astype(np.uint16) * 200).save(folder / "grey16.png")
    Image.fromarray(noise[..., 0].astype(np.float32)).save(folder / "float.tif")
    return sorted(folder.iterdir())


def _read_photo(path: Path) -> None:
    steps: list[Callable[[Path], object]] = [photo_size, read_photo]
    for step in steps:
        try:
            step(path)
        except ValueError as error:
            assert str(error).startswith("unreadable photo: "), error  # noqa: PT017


def _make_images(folder: Path) -> list[Path]:
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    for codec in ("jpeg", "png"):
        (folder / codec).write_bytes(encode_image(noise, codec, 90))
    return [folder / "jpeg", folder / "png"]


def _make_video(folder: Path) -> list[Path]:
    return [write_gray_video(folder / "video.mp4", range(0, 160, 20))]


def _make_checkpoint(folder: Path) -> list[Path]:
    weights = {"net.weight": torch.ones(2, 3), "net.bias": torch.zeros(2, dtype=torch.float64)}
    progress = {"processed": 3, "started": 3, "ready": 3, "completed": 3}
    content = {
        **{"epoch": 1, "global_step": 10, "state_dict": weights, "callbacks": {}},
        "loops": {"fit_loop": {"epoch_progress": {"current": progress, "total": progress}}},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": []}],
    }
    torch.save(content, folder / "new.ckpt")
    torch.save(content, folder / "old.ckpt", _use_new_zipfile_serialization=False)
    return [folder / "new.ckpt", folder / "old.ckpt"]


def _make_runs(folder: Path) -> list[Path]:
    runs = folder / "runs"
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    for row in plan["rows"]:
        for seed in plan["seeds"]:
            write_lam_job(runs / "study", plan, row, seed)
    folds = study_plan("folds", rows=("flame",), seeds=(0, 1))
    for seed in folds["seeds"]:
        write_gaze_job(runs / "folds", folds, "flame", seed, errors_deg={"demo_gaze": 3.0})
    names = ("study/off_seed0", "folds/flame_seed1")
    found = [path for name in names for path in (runs / name).rglob("*") if path.is_file()]
    return [*_make_single_runs(folder), *sorted(found)]


def _make_single_runs(folder: Path) -> list[Path]:
    runs = folder / "runs"
    write_test(write_run(runs / "gaze"))
    write_log(runs / "gaze", 0, ["0,9,,0.5,4.0", "1,19,,0.4,3.5"])
    write_lam_test(write_lam_run(runs / "lam"))
    found = [path for name in ("gaze", "lam") for path in (runs / name).rglob("*.*")]
    return sorted(path for path in found if path.suffix != ".png")


def _read_report(path: Path) -> None:
    """Do what the report does, figures left out, which take seconds."""
    report = find_content(_runs_dir(path))
    for table in (*report.tables, *report.slice_tables):
        (as_markdown(table) + as_latex(table) + as_text(table)).encode()
    as_csv(report.results.tests).encode()
    for outcome in report.outcomes:
        (study_text(outcome) + study_markdown(outcome)).encode()
    write_study_files(report.outcomes, path.parent / "out")
    assert len(report.results.runs) >= 5, "a damaged file costs more than its run"


def _runs_dir(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.name == "runs")


def _make_run(folder: Path) -> list[Path]:
    write_run(folder / "run")
    snapshot = json.loads((folder / "run" / "run.json").read_text())
    snapshot["config"]["data"]["datamodule"] = {"_target_": "flame.data.GazeDataModule"}
    snapshot["config"]["model"]["inputs"] = {"heatmaps": True}
    snapshot["config"] |= {"paths": {"run_dir": "runs/a"}, "ckpt_path": None, "replay": None}
    snapshot["config"] |= {"callbacks": {}, "logger": {}}
    snapshot |= {"metrics": {"val/map": 0.5, "x": None}, "weights": {}}
    (folder / "run" / "run.json").write_text(json.dumps(snapshot))
    return [folder / "run" / "run.json"]


def _read_run(path: Path) -> None:
    places = {"trainer": {}, "paths": {"run_dir": "runs/b"}, "data": {"store_dir": None}}
    asked = {"replay": str(path.parent), "ckpt_path": None, "model": {"init_checkpoint": None}}
    asked |= {"trusted": ["flame"]}
    config = replayed_config({**asked, **places})
    recorded = read_snapshot(path.parent)
    now = {"git": {}, "code_sha256": "0", "versions": {}, "data": {}, "weights": {}}
    differences(recorded, now)
    # Another config than the folder's: refused, and the message names the folder.
    with suppress(ValueError):
        continued({**config, "study": None}, path.parent, {})


def _make_jobs(folder: Path) -> list[Path]:
    path = write_run(folder / "a_seed0") / "run.json"
    snapshot = json.loads(path.read_text())
    snapshot["config"] |= {"test": True, "also_test": ["demo_gaze_b"]}
    path.write_text(json.dumps(snapshot))
    record_failure(folder / "b_seed0", ValueError("it failed"))
    return [path, folder / "b_seed0" / "failure.json"]


def _read_jobs(path: Path) -> None:
    study_dir = path.parents[1]
    for failure in read_failures(study_dir).values():
        assert failure["reason"].encode()
    unfinished_jobs(study_dir, {"rows": {"a": "a", "b": "b"}, "seeds": [0]})


def _make_commands(folder: Path) -> list[Path]:
    (folder / "typed").write_text(
        "-m\nmodel=flame,flame_b\ndata.store_dir='a b'\n+x={a:[1,2],b:c}\nseed=range(0,3)\n"
        "sweeps=table3\npriors=glob(*)\n~dropout"
    )
    return [folder / "typed"]


def _read_command(path: Path) -> None:
    arguments = path.read_text(errors="replace").split("\n")
    try:
        for_hydra(arguments)
    except ValueError as error:
        # Nothing typed is in a file: the message begins with the argument, a long one cut.
        if not str(error).startswith(tuple(argument[:60] for argument in arguments)):
            raise
        raise ValueError(f"{path.name}: {error}") from error


TARGETS: list[Target] = [
    Target("photo", _make_photos, _read_photo),
    Target("image", _make_images, lambda p: decode_image(p.read_bytes())),
    Target("video", _make_video, lambda p: list(read_frames(p))),
    Target("checkpoint", _make_checkpoint, read_checkpoint),
    Target("report", _make_runs, _read_report, max_seconds=60),
    # Without the studies, whose figures take seconds.
    Target("report_page", _make_single_runs, lambda p: write_report(_runs_dir(p)), max_seconds=120),
    Target("run", _make_run, _read_run),
    Target("study_jobs", _make_jobs, _read_jobs),
    Target("command_line", _make_commands, _read_command),
]
