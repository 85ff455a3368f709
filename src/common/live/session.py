"""Cameras answered frame by frame: what is known from one frame to the next.

Nothing waits in line: whoever gives a frame waits for its answer, and gives the newest one next.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from common.arrays import Image
from common.media.presentation import Shown
from common.media.video import TimedFrame
from common.prediction.annotator import Annotator, KnownFace, drawn_frame

# With more pages than that, the one that was silent for longest ends.
_MOST_SESSIONS = 16
Answer = tuple[Sequence[KnownFace], Image]


class Session:
    """One camera: its frames in order.

    Args:
        annotator: answers each frame before it asks for the next (`FollowingSettings.is_live`).
    """

    def __init__(self, annotator: Annotator) -> None:
        self._num = 0
        self._given: Image | None = None
        self._judged = annotator.predict_frames(self._frames())

    def answer(self, image: Image) -> Answer:
        """Return the faces of the next frame (H, W, 3) uint8 RGB, and a copy with them drawn."""
        self._given = image
        frame, faces = next(self._judged)
        assert frame.image is image, "the answer is of another frame"
        return faces, drawn_frame(image, faces)

    def _frames(self) -> Iterator[TimedFrame]:
        while True:
            image, self._given = self._given, None
            assert image is not None, "asked for the next frame before this one was answered"
            yield TimedFrame(self._num, image, Shown(0.0, 0.0))
            self._num += 1


class Sessions:
    """The cameras of several pages, answered one at a time by one annotator.

    Args:
        annotator: as a `Session` takes it.
    """

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator
        # The one that was silent for longest first.
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        # Detectors and meshes take one picture at a time.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, name: str) -> None:
        """Begin the session of a page that was opened."""
        with self._lock:
            self._sessions[name] = Session(self._annotator)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)

    def answer(self, name: str, image: Image, *, is_first: bool = False) -> Answer | None:
        """Return what `Session.answer` does; None if there is no such session, or none any more.

        One in which an error ended the work begins anew.

        Args:
            name: of the session.
            image: (H, W, 3) uint8 RGB.
            is_first: what was seen before is of another camera, or of another time.
        """
        with self._lock:
            if name not in self._sessions:
                return None  # a picture that was on its way when its page was closed
            if is_first:
                self._sessions[name] = Session(self._annotator)
            self._sessions.move_to_end(name)
            try:
                return self._sessions[name].answer(image)
            except Exception:
                self._sessions[name] = Session(self._annotator)
                raise

    def end(self, name: str) -> None:
        """Forget the session of a page that was closed, if there is one."""
        with self._lock:
            self._sessions.pop(name, None)
