"""What ``predict.py`` does: a model on a data split, on photos and videos, or into another form."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config.checks import (
    check_conventions,
    check_file_name,
    check_inputs,
    check_line,
    check_precision,
    check_same_split,
    warn_of_other_mesh,
)
from common.config.instantiate import build
from common.config.plain import Config
from common.faces.head_pose import mesh_definition
from common.files.atomic import remove_leftovers
from common.files.form import ANY, TEXT, Each, check_form
from common.prediction.annotation import annotate_source
from common.prediction.annotator import Annotator
from common.prediction.pair import pair_of
from common.runs.admission import check_recorded, parts_of_prediction
from common.runs.places import found_run, with_found_store
from common.runs.run import build_data, build_module, test
from common.runs.snapshot import FILE_NAME, read_snapshot
from common.store.reading import EmptyStoreError
from common.training.checkpoints.reading import load_module

# How long a camera is recorded; Ctrl-C ends it earlier.
CAMERA_S = 15.0
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
# The same store at another place is no other test.
_PLACE = "store_dir"


@dataclass(frozen=True)
class Trained:
    """A module with its weights, and where they come from.

    Attributes:
        module: loaded.
        config: what it was built from: a run's, or the command's.
        trained_on: name of its training data.
        data: fingerprint of its training data; of an original's, only what was published.
        folder: where its outputs go by default.
        checkpoint: the file of its weights.
        chosen_by: the metric that the checkpoint is the run's best by; None if it is not chosen.
    """

    module: Any
    config: Config
    trained_on: str
    data: Mapping[str, Any]
    folder: Path
    checkpoint: Path
    chosen_by: str | None = None


def predict(config: Config) -> str:
    """Do what the command asks for (the resolved predict config), and say what came out.

    Raises:
        ValueError: If the command does not say what to predict with, or on what.
    """
    asked = [name for name in ("split", "source", "export") if config[name] is not None]
    if not asked and config["data"] is not None:
        # A data set and nothing else said: its test part.
        asked, config = ["split"], {**config, "split": "test"}
    if len(asked) != 1:
        raise ValueError(
            f"got {' and '.join(asked) or 'none'} of split=, source= and export=; give one: "
            "split=test, source=PHOTO_OR_VIDEO or export=FILE.pth"
        )
    if config["run"] is not None and config["priors"] is not None:
        raise ValueError("priors= belongs to model=NAME checkpoint=FILE; a run keeps its own")
    if config["contact_run"] is not None and asked != ["source"]:
        raise ValueError(f"contact_run= is for photos and videos, got {asked[0]}=: give source=")
    trained = from_run(config) if config["run"] is not None else _from_original(config)
    check_inputs(trained.config["model"], config)
    calibration = _checked_calibration(config, trained, asked[0])
    if asked == ["split"]:
        return _test(config, trained, calibration)
    if asked == ["source"]:
        if calibration:
            trained.module.calibrate(Path(calibration["file"]), trained.data)
        return _annotate(config, trained)
    trained.module.export_checkpoint(trained.checkpoint, Path(config["export"]))
    return f"{trained.checkpoint} -> {config['export']}"


def _checked_calibration(config: Config, trained: Trained, asked: str) -> dict[str, Any]:
    """Return what the command says of a calibration; empty if nothing."""
    given = {name: config["calibration"][name] for name in ("samples", "file")}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return {}
    if not trained.module.takes_calibration:
        raise ValueError(
            f"calibration= is for gaze angles, not for model={trained.config['model']['name']}: "
            "leave it out"
        )
    if list(given) != {"split": ["samples"], "source": ["file"]}.get(asked):
        raise ValueError(
            f"got calibration={{{','.join(f'{name}:{given[name]}' for name in given)}}} with "
            f"{asked}=, expected samples with split=, or file with source=: type split=test "
            "'calibration={samples:9}' or source=PHOTO 'calibration={file:FILE}'"
        )
    return given


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
    module = _unloaded(recorded, config)
    load_module(module, checkpoint)
    chosen_by = recorded["optimized_metric"] if checkpoint.name == BEST_CHECKPOINT else None
    return Trained(
        module, recorded, recorded["data"]["name"], snapshot["data"], run_dir, checkpoint, chosen_by
    )


def _unloaded(built_from: Config, config: Config) -> Any:
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
        raise ValueError("predict with what? Give run=RUN, or model=NAME checkpoint=FILE.pth")
    module = _unloaded(config, config)
    checkpoint = Path(config["checkpoint"])
    named = config["statistics"] or (config["data"] or {}).get("name")
    data = module.load_original(checkpoint, named)
    folder = Path(config["paths"]["runs_dir"]) / f"original_{checkpoint.stem}"
    return Trained(module, config, data["name"], data, folder, checkpoint)


def _test(config: Config, trained: Trained, calibration: Config) -> str:
    data_config = config["data"] or trained.config["data"]
    if data_config is None:
        raise ValueError(f"which data? Give data=NAME for split={config['split']}")
    check_line(trained.config["model"], data_config)
    if "results" not in trained.config["model"]["callbacks"]:
        raise ValueError(
            f"{trained.checkpoint} is of {trained.config['model']['name']}, which others start "
            "from and which writes no files of a test: its errors are in its run.json. Type "
            f"train.py model=... model.init_checkpoint={trained.checkpoint}"
        )
    datamodule = _datamodule(config, trained, data_config)
    tested = datamodule.fingerprint()
    check_conventions(trained.data, tested, config["allow_other_convention"])
    check_same_split(trained.data, tested)
    tested_part = f"{datamodule.name}_{config['split']}{_stride(config, trained, data_config)}"
    output_dir = _output_dir(config, trained, tested_part)
    changes = dict(config["results"])
    if calibration:
        how = {"repeats": config["calibration"]["repeats"], "seed": config["seed"]}
        changes["calibration"] = {**calibration, **how, "run": str(trained.folder)}
    results = build(
        trained.config["model"]["callbacks"]["results"],
        output_dir=str(output_dir),
        trained_on=trained.trained_on,
        chosen_by=trained.chosen_by,
        **changes,
    )
    metrics = test(trained.module, datamodule, [results], _precision(config, trained))
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))
    return f"{numbers or 'no labels, so no metric'} -> {output_dir}"


def _datamodule(config: Config, trained: Trained, data_config: Config) -> Any:
    changes = config["datamodule"]
    if "test_part" in changes:
        raise ValueError(
            f"datamodule={{test_part:{changes['test_part']}}} is not what chooses the part: type "
            f"split={changes['test_part']}"
        )
    asked = {**trained.config, "data": data_config}
    try:
        return build_data(asked, test_part=config["split"], **_other_dropout(config), **changes)
    except EmptyStoreError as error:
        raise ValueError(f"{error}; if it lies elsewhere: datamodule.store_dir=FOLDER") from error


def _precision(config: Config, trained: Trained) -> str:
    """Return the precision of a test: as the command asks, else the run's own."""
    asked = config["trainer"]["precision"] or trained.config["trainer"]["precision"]
    check_precision({"precision": asked})
    return asked or "32-true"


def _stride(config: Config, trained: Trained, data_config: Config) -> str:
    """Return a part's stride as part of a folder's name, where it is not known to be the run's.

    Of an original's checkpoint no stride is known; data without strides have none to name.
    """
    key = f"{config['split']}_stride"
    asked = data_config["datamodule"].get(key)
    own = None if config["run"] is None else trained.config["data"]["datamodule"].get(key)
    return "" if asked in (own, None) or key in config["datamodule"] else f"_stride-{asked}"


def _other_dropout(config: Config) -> dict[str, Any]:
    """Return the dropout a run is tested with, where the command asks for another than its own."""
    if config["run"] is None or config["dropout"] is None:
        return {}
    return {"dropout": config["dropout"]}


def _annotate(config: Config, trained: Trained) -> str:
    # Later values lie over the run's own, level by level.
    changes = {**_other_dropout(config), **config["annotator"]}
    name = Path(config["source"]).stem or "photos"
    precision = config["trainer"]["precision"]
    precise = {} if precision is None else {"precision": precision}
    if config["contact_run"] is None:
        annotator = annotator_of(trained, {**precise, **changes})
    else:
        contact = from_run({**config, "run": config["contact_run"], "checkpoint": None})
        name = f"{name}_contact-{contact.folder.name}"
        # Faces are found as the one that asks for tracks says.
        first = annotator_of(contact, {**precise, **changes})
        annotator = pair_of(first, annotator_of(trained, precise), config)
    output_dir = _output_dir(config, trained, name)
    return annotate_source(config["source"], annotator, output_dir, CAMERA_S, config["format"])


def annotator_of(trained: Trained, changes: Config) -> Annotator:
    """Return what judges the faces of photos and videos, with changes over the run's settings.

    Raises:
        ValueError: If its model is for something else.
    """
    configured = trained.config["model"]["annotator"]
    if configured is None:
        name = trained.config["model"]["name"]
        raise ValueError(f"model {name} is not for photos and videos; give split=test")
    mesh = {"head_pose": "mesh", **mesh_definition("mesh")}
    warn_of_other_mesh(trained.data.get("recipe", {}), mesh)
    annotator: Annotator = build(configured, module=trained.module, **changes)
    return annotator


def _output_dir(config: Config, trained: Trained, name: str) -> Path:
    if config["output_dir"] is not None:
        output_dir = Path(config["output_dir"])
    else:
        name = "_".join([name.replace("*", "all"), *_changes(config)])
        check_file_name(name)
        output_dir = trained.folder / "predict" / name
    remove_leftovers(output_dir)
    return output_dir


def _changes(config: Config) -> list[str]:
    """Return what the command changes of a run's test, as words of a folder's name."""
    dropout = _other_dropout(config).get("dropout", {})
    groups = {name: config[name] for name in ("datamodule", "results", "module")}
    groups["precision"] = config["trainer"]["precision"] or {}
    samples, file = (config["calibration"][name] for name in ("samples", "file"))
    groups["calibration"] = samples or (Path(file).stem if file else {})
    return _words({"dropout": dropout.get("kind", {}), **groups})


def _words(values: Config) -> list[str]:
    words = []
    for key, value in values.items():
        if key == _PLACE:
            continue
        nested = _words(value) if isinstance(value, Mapping) else [str(value).replace("/", "_")]
        words += [f"{key}-{'-'.join(nested)}"] if nested else []
    return words
