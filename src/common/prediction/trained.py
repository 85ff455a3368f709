"""What ``predict.py`` predicts with: a run, an original's checkpoint, or an exported net."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config.instantiate import build, merged
from common.config.plain import Config
from common.files.form import ANY, TEXT, Each, Maybe, check_form
from common.onnx.net import OnnxNet
from common.runs.admission import check_recorded, parts_of_prediction
from common.runs.places import found_run, with_found_store
from common.runs.run import build_module
from common.runs.snapshot import FILE_NAME, read_snapshot
from common.training.checkpoints.reading import load_module

BEST_CHECKPOINT = "best.ckpt"
_GROUP = Each(ANY)
# Of what is read of a run.json.
_FORM = {
    "data": _GROUP,
    "config": {
        "optimized_metric": TEXT,
        "data": {"name": TEXT, "datamodule": _GROUP},
        "model": {
            **{"module": {"net": _GROUP}, "annotator": ANY},
            **{"callbacks": _GROUP, "inputs": _GROUP},
        },
    },
}


@dataclass(frozen=True)
class Trained:
    """A module with its weights, and where they come from.

    Attributes:
        module: loaded; of an exported net what stands in for it.
        config: what it was built from: a run's, or the command's; of an exported net its model
            alone.
        trained_on: name of its training data.
        data: fingerprint of its training data; of an original's, only what was published.
        folder: where its outputs go by default.
        checkpoint: the file of its weights.
        chosen_by: the metric that the checkpoint is the run's best by; None if it is not chosen.
        commit: of the code that trained it; None where that is not recorded.
        settings: the file that says how faces are judged with it; None if that is our config.
    """

    module: Any
    config: Config
    trained_on: str
    data: Mapping[str, Any]
    folder: Path
    checkpoint: Path
    chosen_by: str | None = None
    commit: str | None = None
    settings: Path | None = None


def find_trained(config: Config) -> Trained:
    """Return what the resolved predict config says to predict with.

    Raises:
        ValueError: If it does not say, or what it says is not there or cannot be had.
    """
    named = [name for name in ("run", "model", "onnx") if config[name] is not None]
    if len(named) > 1:
        raise ValueError(
            f"got {' and '.join(f'{name}=' for name in named)}, expected one of run=RUN, "
            "model=NAME checkpoint=FILE.pth and onnx=FILE.onnx"
        )
    makers = {"run": from_run, "model": _from_original, "onnx": _from_onnx}
    return makers[named[0] if named else "model"](config)


def from_run(config: Config) -> Trained:
    """Return the run that a command names, with its checkpoint loaded.

    Raises:
        ValueError: If there is no such run, or what it names is not admitted.
    """
    run_dir = found_run(config["run"], config, "run")
    snapshot = read_snapshot(run_dir)
    check_form(snapshot, _FORM, str(run_dir / FILE_NAME))
    checkpoint = _chosen_checkpoint(config, run_dir)
    recorded = with_found_store(run_dir, snapshot)
    parts = parts_of_prediction(recorded, run_dir)
    check_recorded(run_dir, recorded, parts, trusted=config["trusted"], writes_to=run_dir)
    module = unloaded(recorded, config)
    load_module(module, checkpoint)
    return Trained(
        module,
        recorded,
        recorded["data"]["name"],
        snapshot["data"],
        run_dir,
        checkpoint,
        chosen_by=recorded["optimized_metric"] if checkpoint.name == BEST_CHECKPOINT else None,
        commit=(snapshot.get("git") or {}).get("commit"),
        settings=run_dir / FILE_NAME,
    )


def unloaded(built_from: Config, config: Config) -> Any:
    """Return the module of a config, with the command's changes, before it has its weights."""
    backbone = built_from["model"]["module"]["net"].get("backbone", {})
    # The checkpoint brings its own: published weights need not be there, or be downloaded.
    changes = {"net": {"backbone": {"weights": None}}} if backbone.get("weights") else {}
    return build_module(built_from, **changes | config["module"])


def _chosen_checkpoint(config: Config, run_dir: Path) -> Path:
    if config["checkpoint"] is not None:
        return Path(config["checkpoint"])
    best = run_dir / "checkpoints" / BEST_CHECKPOINT
    return best if best.is_file() else best.with_name("last.ckpt")


def _from_original(config: Config) -> Trained:
    if config["model"] is None or config["checkpoint"] is None:
        raise ValueError(
            "predict with what? Give run=RUN, model=NAME checkpoint=FILE.pth, or onnx=FILE.onnx"
        )
    module = unloaded(config, config)
    checkpoint = Path(config["checkpoint"])
    named = config["statistics"] or (config["data"] or {}).get("name")
    data = module.load_original(checkpoint, named)
    folder = Path(config["paths"]["runs_dir"]) / f"original_{checkpoint.stem}"
    return Trained(module, config, data["name"], data, folder, checkpoint)


def _from_onnx(config: Config) -> Trained:
    """Open an exported net; what is built for it is named by our config, never by the file."""
    path = Path(config["onnx"])
    net = OnnxNet(path)
    said = net.metadata
    line = config["lines"].get(said["line"])
    if line is None:
        raise ValueError(
            f"{path} is of {said['model']}, about {said['line']}, which is not for photos and "
            "videos: its inputs and outputs are in its metadata"
        )
    module = build(line["stand_in"], net=net)
    settings = said["annotator"] or {}
    groups = [key for key, value in line["annotator"].items() if isinstance(value, Mapping)]
    check_form(settings, dict.fromkeys(groups, Maybe(_GROUP)), f"{path}: annotator")
    annotator = merged(settings, line["annotator"])
    model = {"name": said["model"], "inputs": annotator, "annotator": annotator}
    folder = Path(config["paths"]["runs_dir"]) / f"onnx_{path.stem}"
    data = said["training_data"]
    return Trained(
        *(module, {"model": model}, data["name"], data, folder, path),
        commit=said["commit"],
        settings=path,
    )
