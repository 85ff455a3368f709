"""A MediaPipe solution that is built where it is used."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from common.faces.native_stderr import silence_native_stderr


class MediaPipeGraph:
    """One of MediaPipe's bundled solutions, built lazily in the process that runs it.

    MediaPipe hangs in a forked child once the parent has run it, and its graphs cannot be
    pickled. This object can: it carries only the options, and every process (spawned, never
    forked) builds its own graph on first use, in silence.
    """

    def __init__(self, solution: Literal["FaceDetection", "FaceMesh"], **options: Any) -> None:
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
            from mediapipe.python.solutions import face_detection, face_mesh

            module = face_detection if self._solution == "FaceDetection" else face_mesh
            self._graph = getattr(module, self._solution)(**self._options)
            self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def find(self, image: npt.NDArray[np.uint8]) -> list[Any]:
        """Run the graph on an image (H, W, 3) RGB.

        Returns:
            MediaPipe's detections or face landmark lists; empty if it finds nothing.
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

    def _run(self, image: npt.NDArray[np.uint8]) -> list[Any]:
        result = self._graph.process(image)
        is_detection = self._solution == "FaceDetection"
        return list((result.detections if is_detection else result.multi_face_landmarks) or [])
