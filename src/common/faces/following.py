"""The faces of a video, frame by frame, each with its track: searched now and then, followed else.

A detector that looks at every frame takes most of the time. Here it looks at key frames: the first,
every `FollowingSettings.detect_every`-th, where the picture changes (a cut, a swing of the camera),
and where a face is lost. In between each face is looked for where it was (`FaceSearch`).

A face that a key frame shows for the first time was there before: it is followed back through the
frames since the last key frame, which wait for that.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from common.arrays import Float, Image
from common.config.arguments import check_arguments
from common.faces.analysis import FaceAnalyzer
from common.faces.camera_motion import CameraMotion
from common.faces.face_search import FaceSearch
from common.faces.found_faces import FoundFace, FoundFrame, Frame, meets, moved, place
from common.faces.tracking import FaceTracker, TrackingSettings

# Of the picture's width, from one frame to the next: what comes in at its edge is worth a look.
_SWING = 0.04
# So many searches say how a face's box lies about its mesh.
_NUM_DRAWN = 5
# While a face has not yet reached the confidence that its track must: each search is a chance.
_UNSURE_EVERY = 3


@dataclass(frozen=True)
class FollowingSettings:
    """How often a video is searched for faces.

    Attributes:
        detect_every: frames from one search of the whole picture to the next; 1 searches each
            frame and follows nothing.
        largest_only: of each search only the largest face counts.
        is_live: each frame is answered at once. Else it waits for those after it: new faces are
            followed back, gaps of a track are filled, and clips see what comes after their middle.

    Raises:
        ValueError: If `detect_every` is less than 1.
    """

    detect_every: int = 10
    largest_only: bool = False
    is_live: bool = False

    def __post_init__(self) -> None:
        if self.detect_every < 1:
            raise ValueError(f"detect_every is {self.detect_every}, expected 1 or more frames")

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> "FollowingSettings":
        """Return settings by name.

        Raises:
            ValueError: If one is unknown or of another kind, or as the class.
        """
        settings = dict(given or {})
        check_arguments(cls, settings, "following")
        return cls(**settings)


class FaceFollower:
    """Finds and follows the faces of videos.

    Args:
        analyzer: finds faces and their meshes.
        tracking: when faces of two frames are one.
        settings: how often it is asked.
    """

    def __init__(
        self, analyzer: FaceAnalyzer, tracking: TrackingSettings, settings: FollowingSettings
    ) -> None:
        self.settings = settings
        self._search = FaceSearch(analyzer)
        self._tracking = tracking

    def follow(self, frames: Iterable[Frame]) -> Iterator[FoundFrame[Frame]]:
        """Yield each frame of one video with its faces, in order."""
        seen_by = _Pass(self._search, self._tracking, self.settings)
        waiting: list[FoundFrame[Frame]] = []
        for frame in frames:
            found = seen_by.look(frame)
            if seen_by.is_key:
                seen_by.follow_back(found, waiting)
                yield from waiting
                waiting.clear()
            if seen_by.is_key or self.settings.is_live:
                yield found
            else:
                waiting.append(found)
        yield from waiting


class _Pass:
    """What is known between two frames of one video.

    Attributes:
        is_key: whether the whole of the latest frame was searched.
    """

    def __init__(
        self, search: FaceSearch, tracking: TrackingSettings, settings: FollowingSettings
    ) -> None:
        self.is_key = False
        self._search = search
        self._tracking = tracking
        self._tracker = FaceTracker(tracking)
        self._settings = settings
        self._motion = CameraMotion()
        self._last: FoundFrame[Any] | None = None
        self._num_followed = 0
        # By track: boxes of its latest searches, in units of its mesh; its greatest confidence.
        self._drawn: dict[int, deque[Float]] = {}
        self._peaks: dict[int, float] = {}

    def look(self, frame: Frame) -> FoundFrame[Frame]:
        """Return the next frame with its faces."""
        image, camera_px = frame.image, self._motion.follow(frame.image)
        # Behind a cut somebody else may be where a face was.
        expected = self._expected(camera_px) if self._motion.is_held else []
        followed = None if self._is_due(image, camera_px) else self._followed(image, expected)
        self.is_key = followed is None
        self._num_followed = 0 if self.is_key else self._num_followed + 1
        faces = self._searched(image, expected) if followed is None else followed
        numbers = self._tracker.update(
            frame.number, [face.bbox_xyxy_px for face in faces], camera_px
        )
        self._forget()
        found = [replace(face, track=n) for face, n in zip(faces, numbers, strict=True)]
        for face in found:
            peak = self._peaks.get(face.track, 0.0)
            self._peaks[face.track] = max(peak, face.confidence)
        if self.is_key and self._settings.detect_every > 1:
            found = [self._steadied(face) for face in found]
        seen = FoundFrame(frame, found, camera_px)
        self._last = seen
        return seen

    def follow_back(self, found: FoundFrame[Frame], waiting: list[FoundFrame[Frame]]) -> None:
        """Add the faces that a key frame shows anew to those of the frames before it."""
        if not self._motion.is_held or not waiting:
            return
        known = {face.track for face in waiting[-1].faces}
        for face in found.faces:
            later: FoundFace | None = face
            camera_px = found.camera_px
            for before in reversed(waiting if face.track not in known else []):
                assert later is not None
                there = moved(later, before.camera_px - camera_px)
                later, camera_px = self._search.again(before.frame.image, there), before.camera_px
                if later is None or meets(later, before.faces):
                    break
                before.faces.append(later)

    def _forget(self) -> None:
        """Drop what is known of tracks that have ended: a camera may run for days."""
        for known in (self._drawn, self._peaks):
            for track in known.keys() - self._tracker.living:
                del known[track]

    def _is_due(self, image: Image, camera_px: Float) -> bool:
        """Return whether the whole picture is to be searched, whatever can be followed."""
        if self._last is None or self._num_followed + 1 >= self._patience(self._last):
            return True
        shift = np.abs(camera_px - self._last.camera_px).max()
        return not self._motion.is_held or shift > _SWING * image.shape[1]

    def _patience(self, last: FoundFrame[Any]) -> int:
        """Return after how many frames the whole picture is searched again."""
        least = self._tracking.min_peak_confidence
        is_unsure = any(self._peaks[face.track] < least for face in last.faces)
        every = self._settings.detect_every
        return min(every, _UNSURE_EVERY) if is_unsure else every

    def _expected(self, camera_px: Float) -> list[FoundFace]:
        """Return the last frame's faces where the camera has carried them."""
        if self._last is None:
            return []
        shift = camera_px - self._last.camera_px
        return [moved(face, shift) for face in self._last.faces]

    def _followed(self, image: Image, expected: list[FoundFace]) -> list[FoundFace] | None:
        """Return the expected faces as they are; None if one is lost, or two have become one."""
        faces: list[FoundFace] = []
        for there in expected:
            face = self._search.again(image, there)
            if face is None or meets(face, faces):
                return None
            faces.append(face)
        return faces

    def _searched(self, image: Image, expected: list[FoundFace]) -> list[FoundFace]:
        """Return all faces of a picture; those that the detector overlooks go on by their mesh."""
        faces = self._search.anywhere(image, largest_only=self._settings.largest_only)
        if self._settings.detect_every == 1 or (faces and self._settings.largest_only):
            return faces
        for there in expected:
            if there.mesh is not None and not meets(there, faces):
                face = self._search.by_mesh(image, there)
                if face is not None and not meets(face, faces):
                    faces.append(face)
        return faces

    def _steadied(self, face: FoundFace) -> FoundFace:
        """Return a face with the median of the boxes that its latest searches drew on its mesh.

        A detector draws some boxes wider or narrower than those before (CenterFace every twentieth
        by 4 %, MediaPipe's every twelfth by a quarter); the frames that follow would all have it.
        """
        if face.mesh is None:
            return face
        middle, size = place(face.mesh)
        drawn = self._drawn.setdefault(face.track, deque(maxlen=_NUM_DRAWN))
        drawn.append((face.bbox_xyxy_px.reshape(2, 2) - middle) / size)
        box = (np.median(drawn, axis=0) * size + middle).reshape(4)
        return replace(face, bbox_xyxy_px=box)
