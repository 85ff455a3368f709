"""What ``predict.py export=`` does: a net as a file for elsewhere, its form by the suffix."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from common.config.instantiate import build, calls, merged
from common.config.plain import Config
from common.files.checksums import file_sha256
from common.onnx.writing import write_onnx
from common.prediction.changes import other_dropout
from common.prediction.trained import Trained

_LICENCE = (
    "The code that made this file is under Apache-2.0. For what its weights may be used, the terms "
    "of their training data ({data}) say, and those of weights that they started from; data of "
    "people are mostly for research alone. Nothing is granted here."
)


def export(config: Config, trained: Trained) -> str:
    """Write a net to ``export=``: ``.onnx`` runs without PyTorch, ``.pth`` is the original's form.

    Raises:
        ValueError: If the suffix is another, or the net cannot be written so.
    """
    path = Path(config["export"])
    if path.suffix == ".pth":
        trained.module.export_checkpoint(trained.checkpoint, path)
        return f"{trained.checkpoint} -> {path}"
    if path.suffix != ".onnx":
        raise ValueError(
            f"export={path}: expected a name that ends in .onnx or .pth (an original's)"
        )
    inputs = trained.config["model"]["inputs"]
    net = trained.module.eval().exportable(inputs, _settings(config, trained))
    difference = write_onnx(path, net, _metadata(trained))
    said = f"outputs differ from PyTorch's by {difference:.1e} at most"
    return f"{trained.checkpoint} -> {path} ({said})"


def _metadata(trained: Trained) -> dict[str, Any]:
    """Return what every exported net says of itself; no place on this machine is in it."""
    model, data = trained.config["model"], trained.data
    return {
        "model": model["name"],
        "line": model["line"],
        "training_data": {
            "name": trained.trained_on,
            **{key: data[key] for key in ("recipe", "split", "num_samples") if key in data},
        },
        "checkpoint_sha256": file_sha256(trained.checkpoint),
        "commit": trained.commit,
        "licence": _LICENCE.format(data=trained.trained_on),
    }


def _settings(config: Config, trained: Trained) -> dict[str, Any] | None:
    """Return what the annotator is built with, as plain values; what builds it is not in the file.

    Raises:
        ValueError: If it is built otherwise than ``onnx=`` will build it.
    """
    model = trained.config["model"]
    line = config["lines"].get(model["line"])
    if line is None or model["annotator"] is None:
        return None
    configured = merged(model["annotator"], {**other_dropout(config), **config["annotator"]})
    own, expected = (dict(calls(one, "annotator")) for one in (configured, line["annotator"]))
    strange = {
        place: call["_target_"]
        for place, call in own.items()
        if place not in expected or call["_target_"] != expected[place]["_target_"]
    }
    if strange:
        named = ", ".join(f"{target} (model.{place})" for place, target in strange.items())
        raise ValueError(
            f"a file holds no code, and this net is predicted with {named}: leave that out, as in "
            "'annotator={analyzer:{_target_:common.faces.settings.AnalyzerSettings}}'"
        )
    return {key: _plain(value) for key, value in configured.items() if key != "_target_"}


def _plain(value: Any) -> Any:
    """Return a value of a config, of what it builds all settings by name."""
    if not isinstance(value, Mapping):
        return value
    if "_target_" not in value:
        return {key: _plain(item) for key, item in value.items()}
    built = build(value)
    assert is_dataclass(built), "settings are"
    return asdict(built)  # type: ignore[arg-type]
