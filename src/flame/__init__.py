"""FLAME: gaze angles from eye crops, eye-landmark heatmaps and head pose (AVSS 2021)."""

from typing import TYPE_CHECKING

try:
    from common.package_face import attributes
except ModuleNotFoundError as error:
    import common

    raise ImportError(
        f"{common} is another package named `common`, found before this suite's: "
        "start Python in another folder, or take that one from PYTHONPATH"
    ) from error

if TYPE_CHECKING:
    from flame.data.statistics import load_statistics
    from flame.nets.heatmaps import render_heatmaps
    from flame.originals.checkpoint import load_net
    from flame.prediction.run_predictor import Predictor

__all__ = ["Predictor", "load_net", "load_statistics", "render_heatmaps"]
__getattr__ = attributes(
    __name__,
    {
        "Predictor": "flame.prediction.run_predictor",
        "load_net": "flame.originals.checkpoint",
        "load_statistics": "flame.data.statistics",
        "render_heatmaps": "flame.nets.heatmaps",
    },
)
