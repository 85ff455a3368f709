"""A MediaPipe solution that is built where it is used."""

import weakref
from importlib import import_module
from typing import Any, Literal, NamedTuple

import numpy as np

from common.arrays import Image
from common.faces.mediapipe.native_stderr import silence_native_stderr


class _Solution(NamedTuple):
    module: str
    result: str  # the field of its output that holds what was found


_SOLUTIONS = {
    "FaceDetection": _Solution("face_detection", "detections"),
    "FaceMesh": _Solution("face_mesh", "multi_face_landmarks"),
    "Pose": _Solution("pose", "pose_landmarks"),
}


class MediaPipeGraph:
    """One of MediaPipe's bundled solutions, built lazily in the process that runs it.

    MediaPipe hangs in a forked child once the parent has run it, and its graphs cannot be
    pickled. This object can: it carries only the options, and every process (spawned, never
    forked) builds its own graph on first use, in silence.
    """

    def __init__(
        self, solution: Literal["FaceDetection", "FaceMesh", "Pose"], **options: Any
    ) -> None:
        self._solution = solution
        self._options = options
        self._graph: Any = None
        self._has_found = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_graph": None, "_has_found": False}

    def build(self) -> None:
        """Build the graph; does nothing the second time."""
        if self._graph is not None:
            return
        with silence_native_stderr():
            # Importing MediaPipe takes a second; processes that never use it do not pay.
            name = _SOLUTIONS[self._solution].module
            module = import_module(f"mediapipe.python.solutions.{name}")
            self._graph = getattr(module, self._solution)(**self._options)
            # At exit the process closes it, and a graph may wait for threads that are gone.
            weakref.finalize(self, self._graph.close).atexit = False
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, image: Image) -> list[Any]:
        """Run the graph on an image (H, W, 3) RGB.

        Returns:
            MediaPipe's detections or landmark lists; empty if it finds nothing.
        """
        self.build()
        image = np.ascontiguousarray(image)
        if self._has_found:
            return self._run(image)
        # The nodes behind the first detector write their own line when they first run.
        with silence_native_stderr():
            found = self._run(image)
        self._has_found = bool(found)
        return found

    def _run(self, image: Image) -> list[Any]:
        result = self._graph.process(image)
        found = getattr(result, _SOLUTIONS[self._solution].result) or []
        # The pose is one person's, not a list of people's.
        return [found] if hasattr(found, "landmark") else list(found)
