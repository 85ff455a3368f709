"""A live annotator without nets: it counts the frames that it was given."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np

from common.faces.following import FaceFollower, FollowingSettings
from common.faces.tracking import TrackingSettings
from common.prediction.annotator import Annotator, Found, Judged


class Spot(NamedTuple):
    """A face; its track says in how many frames of its session one was seen before."""

    track_id: str
    bbox_xyxy_px: Any = None

    def record(self) -> dict[str, Any]:
        return {}

    def draw(self, image: np.ndarray) -> None:
        image[0, 0] = 7

    draw_inside = draw


class NoFaces:
    """Stands where `common.faces.analysis.FaceAnalyzer` does."""

    def detect(self, image: np.ndarray) -> list[Any]:
        return []


class Counting(Annotator):
    """Numbers the frames of a session; all white is beyond it."""

    columns: ClassVar[Any] = {}
    follower = FaceFollower(  # type: ignore[arg-type]
        NoFaces(), TrackingSettings(), FollowingSettings(is_live=True)
    )

    def predict(self, image: np.ndarray, camera_matrix: Any = None) -> list[Spot]:
        return []

    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        for num_before, one in enumerate(found):
            if (one.frame.image == 255).all():
                raise RuntimeError("too bright")
            yield one.frame, [Spot(str(num_before))]
