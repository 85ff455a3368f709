"""What is killed: a command of each kind, on data of seconds, and what it leaves."""

import hashlib
import json
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import torch
from builders.small_lam_training import SMALL_DATA, SMALL_NETS, SMALL_TRAINING, write_store
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_RUN

# They tell of every start, or are written by a library as it goes.
ACCOUNTS = ["*.log", "*/csv/*", "*/multirun.yaml"]
SMALL_STUDY = [
    "sweeps=table4",
    "ablations=spatial_off,spatial_off_temporal_none",
    "seed=0",
    *("+" + option if "net" in option else option for option in SMALL_NETS["gazelstm"][1:]),
    *(f"++{option}" for option in SMALL_NETS["gazepose"] if "transformer" in option),
    *SMALL_DATA[1:],
    *SMALL_TRAINING,
    "hydra/launcher=joblib",
    "hydra.launcher.n_jobs=2",
]
PEOPLE = ["data=demo_gaze", "data.raw_writer.num_subjects=4", "data.raw_writer.gaze_yaws_deg=[0,8]"]
CLIPS = [
    "data=demo_lam",
    "data.raw_writer.num_train_clips=2",
    "data.raw_writer.num_val_clips=1",
    "data.raw_writer.num_test_clips=1",
    "data.raw_writer.num_frames=10",
]


@dataclass(frozen=True)
class Command:
    """Typed in a folder that holds what `prepare` wrote; its traces are compared."""

    name: str
    typed: list[str]

    def argv(self) -> list[str]:
        """Return the process's arguments."""
        first, *rest = self.typed
        start = ["-m", first] if first.startswith("common.") else [str(REPO_DIR / first)]
        return [sys.executable, *start, *rest]


FLAME_RUN = [*SMALL_RUN, "data.store_dir=gaze_store", "continue_run=true"]
LAM_RUN = [*SMALL_NETS["gazepose"], *SMALL_DATA, *SMALL_TRAINING]
LAM_RUN += ["data.store_dir=lam_store", "continue_run=true"]
PREDICT = ["predict.py", "run=made/lam", "output_dir=found"]
COMMANDS = [
    Command("preprocess gaze", ["preprocess.py", *PEOPLE]),
    Command("preprocess eye contact", ["preprocess.py", *CLIPS]),
    Command("train FLAME", ["train.py", *FLAME_RUN, "hydra.run.dir=runs/flame"]),
    Command(
        "train GazePose", ["train.py", *LAM_RUN, "continue_run=true", "hydra.run.dir=runs/lam"]
    ),
    Command("study", ["train.py", *SMALL_STUDY, "data.store_dir=lam_store"]),
    Command("predict a part", [*PREDICT, "split=val"]),
    Command("predict a video", [*PREDICT, "source=clip.mp4"]),
    Command("report", ["common.report", "made", "--output", "page"]),
]


def prepare(folder: Path) -> None:
    """Write what the commands work on, but for a finished run and a clip."""
    write_small_store(folder / "gaze_store")
    write_store(folder / "lam_store")


def made_first() -> list[Command]:
    """Return what makes the run that predictions and the report are of, and a clip."""
    clip = ["preprocess.py", *CLIPS, "paths.data_dir=made_data"]
    run = ["train.py", *LAM_RUN, "hydra.run.dir=made/lam"]
    return [Command("a clip", clip), Command("a run", run)]


def traces(folder: Path) -> dict[str, str]:
    """Return a digest of every file by name; of a run's record its outcome, of weights the values.

    Accounts of what happened count by being there or not at all.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(fnmatch(f"/{name}", pattern) for pattern in ACCOUNTS):
            found[name] = hashlib.sha256(_content(path)).hexdigest()
    return found


def _content(path: Path) -> bytes:
    if path.name == "run.json":
        run = json.loads(path.read_text())
        return json.dumps([run["status"], run["metrics"]], sort_keys=True).encode()
    if path.suffix == ".ckpt":
        weights = torch.load(path, weights_only=True)["state_dict"]
        return b"".join(weights[name].numpy().tobytes() for name in sorted(weights))
    return path.read_bytes()
