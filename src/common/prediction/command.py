"""What ``predict.py`` does: a model on a data split, on photos and videos, or into another form."""

from pathlib import Path
from typing import Any

from common.config.checks import check_inputs, warn_of_other_mesh
from common.config.instantiate import build
from common.config.plain import Config
from common.faces.head_pose import mesh_definition
from common.faces.mediapipe.model import keep_face_model
from common.prediction.annotation import annotate_source
from common.prediction.annotator import Annotator
from common.prediction.changes import other_dropout, output_dir
from common.prediction.exporting import export
from common.prediction.pair import pair_of
from common.prediction.testing import run_split_test
from common.prediction.trained import Trained, find_trained, from_run

# How long a camera is recorded; Ctrl-C ends it earlier.
CAMERA_S = 15.0


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
            "split=test, source=PHOTO_OR_VIDEO, export=FILE.onnx or export=FILE.pth"
        )
    if config["run"] is not None and config["priors"] is not None:
        raise ValueError("priors= belongs to model=NAME checkpoint=FILE; a run keeps its own")
    if config["contact_run"] is not None and asked != ["source"]:
        raise ValueError(f"contact_run= is for photos and videos, got {asked[0]}=: give source=")
    _check_onnx(config, asked[0])
    trained = find_trained(config)
    check_inputs(trained.config["model"], config)
    calibration = _checked_calibration(config, trained, asked[0])
    if asked == ["split"]:
        return run_split_test(config, trained, calibration)
    if asked == ["export"]:
        return export(config, trained)
    if calibration:
        trained.module.calibrate(Path(calibration["file"]), trained.data)
    return _annotate(config, trained)


def _check_onnx(config: Config, asked: str) -> None:
    """Refuse to ask an exported net for what needs its run."""
    changed = [name for name in ("module", "priors", "checkpoint") if config[name]]
    if config["onnx"] is None or (asked == "source" and not changed):
        return
    given = f"{asked}=" if asked != "source" else " and ".join(f"{name}=" for name in changed)
    raise ValueError(
        f"onnx={config['onnx']} with {given}: an exported net is what it is, and for photos and "
        "videos (source=); type run=RUN for anything else"
    )


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


def _annotate(config: Config, trained: Trained) -> str:
    contact = find_contact(config)
    annotator = asked_annotator(config, trained, contact)
    name = Path(config["source"]).stem or "photos"
    if contact is not None:
        name = f"{name}_contact-{contact.folder.name}"
    folder = output_dir(config, trained.folder, name)
    return annotate_source(config["source"], annotator, folder, CAMERA_S, config["format"])


def find_contact(config: Config) -> Trained | None:
    """Return the run that ``contact_run=`` names, if it does.

    Raises:
        ValueError: As `from_run`.
    """
    if config["contact_run"] is None:
        return None
    return from_run({**config, "run": config["contact_run"], "checkpoint": None})


def asked_annotator(config: Config, trained: Trained, contact: Trained | None) -> Annotator:
    """Return what judges faces as a command asks for.

    Args:
        config: the command's, resolved.
        trained: what ``run=``, or what stands in its place, names.
        contact: what ``contact_run=`` names.

    Raises:
        ValueError: If one of them is for something else, or a setting is unknown.
    """
    keep_face_model(config["faces"]["model"])
    precision = config["trainer"]["precision"]
    shared = {} if precision is None else {"precision": precision}
    # Later values lie over the run's own, level by level.
    changes = {**shared, **other_dropout(config), **config["annotator"]}
    if contact is None:
        return annotator_of(trained, changes)
    # Faces are found as the one that asks for tracks says; live, neither waits for later frames.
    if "following" in changes:
        shared["following"] = changes["following"]
    return pair_of(annotator_of(contact, changes), annotator_of(trained, shared), config)


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
    try:
        annotator: Annotator = build(configured, module=trained.module, **changes)
    except ValueError as error:
        if trained.settings is None:
            raise
        raise ValueError(f"{error} (annotator= as typed, or of {trained.settings})") from error
    return annotator
