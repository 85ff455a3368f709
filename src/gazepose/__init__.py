"""GazePose: is this person looking at the camera wearer? (Ego4D Looking At Me, 2023)."""

from typing import TYPE_CHECKING

try:
    from common.package_face import attributes
except ModuleNotFoundError as error:
    import common

    raise ImportError(
        f"{common} is another package named `common`, found before this suite's "
        "(GazePose's own checkout has one): start Python in another folder, or take that one from "
        "PYTHONPATH"
    ) from error

if TYPE_CHECKING:
    from gazepose.evaluation.metrics import evaluate_lam
    from gazepose.originals.weights import load_net
    from gazepose.prediction.run_predictor import Predictor

__all__ = ["Predictor", "evaluate_lam", "load_net"]
__getattr__ = attributes(
    __name__,
    {
        "Predictor": "gazepose.prediction.run_predictor",
        "evaluate_lam": "gazepose.evaluation.metrics",
        "load_net": "gazepose.originals.weights",
    },
)
