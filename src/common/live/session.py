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

# With more browsers than that, the one that was silent for longest begins anew.
_MOST_SESSIONS = 8
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
    """The cameras of several browsers, answered one at a time by one annotator.

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

    def answer(self, name: str, image: Image) -> Answer:
        """Return what `Session.answer` does of a session's next frame; begun if it is new.

        One in which an error ended the work begins anew with its next frame.
        """
        with self._lock:
            session = self._sessions.pop(name, None) or Session(self._annotator)
            answer = session.answer(image)
            self._sessions[name] = session
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return answer

    def end(self, name: str) -> None:
        """Forget a session, if there is one."""
        with self._lock:
            self._sessions.pop(name, None)
