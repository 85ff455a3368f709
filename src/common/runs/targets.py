"""What a recorded config names as ``_target_``, by the names of today."""

from typing import Any

# Modules that configs named before the suite had rooms (until commit 5ba9990), and where what they
# held is now. A class that moves again: change the right-hand side.
_MOVED = {
    "common.best_checkpoint": "common.training.best_checkpoint",
    "common.epoch_validation": "common.training.epoch_validation",
    "common.pictures": "common.evaluation.pictures",
    "common.reproducibility": "common.training.reproducibility",
    "common.study": "common.studies.study",
    "common.synthetic.columbia": "common.synthetic.columbia.writer",
    "common.synthetic.ego4d": "common.synthetic.ego4d.writer",
    "common.synthetic.gaze360": "common.synthetic.gaze360.writer",
    "common.wandb_run": "common.loggers.wandb",
    "flame.columbiagaze": "flame.readers.columbiagaze",
    "flame.data": "flame.data.datamodule",
    "flame.eyediap": "flame.readers.eyediap.reader",
    "flame.inference": "flame.prediction.predictor",
    "flame.layout": "flame.readers.flame_layout",
    "flame.losses": "flame.training.losses",
    "flame.module": "flame.training.module",
    "flame.nets.flame_af": "flame.nets.flame",
    "flame.nets.flame_ao": "flame.nets.flame",
    "flame.nets.flame_b": "flame.nets.flame",
    "flame.preparation": "flame.preprocessing.preparation",
    "flame.preprocess": "flame.preprocessing.preprocessor",
    "flame.results": "flame.evaluation.callback",
    "flame.sample_pictures": "flame.evaluation.painter",
    "gazepose.data": "gazepose.data.datamodule",
    "gazepose.ego4d": "gazepose.readers.ego4d.reader",
    "gazepose.face_imgs": "gazepose.readers.face_imgs.reader",
    "gazepose.gaze360_preprocess": "gazepose.pretraining.preprocessor",
    "gazepose.gaze_faces": "gazepose.pretraining.datamodule",
    "gazepose.inference": "gazepose.prediction.predictor",
    "gazepose.losses": "gazepose.training.losses",
    "gazepose.module": "gazepose.training.module",
    "gazepose.own_videos": "gazepose.readers.own_videos",
    "gazepose.preparation": "gazepose.preprocessing.preparation",
    "gazepose.preprocess": "gazepose.preprocessing.preprocessor",
    "gazepose.pretraining": "gazepose.pretraining.module",
    "gazepose.results": "gazepose.evaluation.callback",
    "gazepose.sample_pictures": "gazepose.evaluation.painter",
    "gazepose.smoothing": "gazepose.evaluation.smoothing",
}


# Classes that are called otherwise, where they are now.
_RENAMED = {
    "gazepose.preprocessing.preparation.LamPreparation": (
        "gazepose.preprocessing.preparation.PreparationSettings"
    ),
}


def with_todays_target(call: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded mapping, with today's name if it has a ``_target_``."""
    named = str(call.get("_target_"))
    module, _, name = named.rpartition(".")
    target = f"{_MOVED[module]}.{name}" if module in _MOVED else named
    target = _RENAMED.get(target, target)
    return call if target == named else {**call, "_target_": target}
