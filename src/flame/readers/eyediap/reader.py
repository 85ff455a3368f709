"""EYEDIAP as downloaded: videos of people who look at dots on a screen or at a floating ball.

Sessions are named ``<person>_<condition>_<target>_<motion>``: condition A or B, target DS
(discrete dots on a screen), CS (a dot that moves) or FT (floating ball), motion S (head still)
or M. They are found wherever they lie in the folder, one archive a person or all in one.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from common.arrays import Image
from common.media.video import read_frames
from common.store.skipped import Skipped
from flame.readers.eyediap.files import SESSION_NAME, Calibration, person_of, sample_id, skipped
from flame.readers.eyediap.geometry import FrameLabel
from flame.readers.eyediap.session import EyediapSession, LabelRule
from flame.readers.sample import RawReader, RawSample

LOG = logging.getLogger(__name__)

CameraName = Literal["vga", "hd"]
GazeName = Literal["geometric", "published"]


class EyediapReader(RawReader):
    """Reads EYEDIAP, one session after the other, its video from start to end.

    Every `frame_step`-th frame is an item, whether it was lost or not, and `RawSample.index`
    counts them: a lost frame never changes another frame's parity eye.

    Args:
        raw_dir: folder that holds the unpacked archives, in any arrangement; the gaze-state
            annotations, a separate archive, belong in it too.
        camera: ``vga`` (640 x 480) or ``hd`` (1920 x 1080, missing in a few sessions).
        gaze: ``geometric``, from the eyes to the target, or ``published``, as FLAME's labels
            seem to be made (`flame.readers.eyediap.geometry.published_label`); the two do not mix.
        frame_step: 15 is GazeHub's; FLAME's is unknown.
        conditions: which of A and B.
        targets: which of DS, CS and FT; FLAME used the screen targets.
        motions: which of S and M.
        keep_gaze_states: which annotations of CS and FT frames to keep: ``OK`` only, or also
            ``BK`` (blink) and ``NL`` (not looking). DS has no annotations.

    Raises:
        ValueError: If an option has no such value.
    """

    name = "eyediap"

    def __init__(
        self,
        raw_dir: Path,
        *,
        camera: CameraName = "vga",
        gaze: GazeName = "geometric",
        frame_step: int = 15,
        conditions: tuple[str, ...] = ("A", "B"),
        targets: tuple[str, ...] = ("DS", "CS"),
        motions: tuple[str, ...] = ("S", "M"),
        keep_gaze_states: tuple[str, ...] = ("OK",),
    ) -> None:
        _check_choice("camera", [camera], get_args(CameraName))
        _check_choice("gaze", [gaze], get_args(GazeName))
        _check_choice("conditions", conditions, ("A", "B"))
        _check_choice("targets", targets, ("DS", "CS", "FT"))
        _check_choice("motions", motions, ("S", "M"))
        _check_choice("keep_gaze_states", keep_gaze_states, ("OK", "BK", "NL"))
        if frame_step < 1:
            raise ValueError(f"frame_step is {frame_step}, expected 1 or more")
        if gaze == "published" and "FT" in targets:
            raise ValueError("gaze=published is known for screen targets only: leave out FT")
        self.raw_dir = Path(raw_dir)
        self.gaze_convention = f"eyediap_{gaze}"
        self._camera: CameraName = camera
        self._frame_step = frame_step
        self._wanted = {
            "condition": tuple(conditions),
            "target": tuple(targets),
            "motion": tuple(motions),
        }
        self._rule = LabelRule(camera, gaze, tuple(keep_gaze_states))

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a sample's image, label and index depend on, as plain values."""
        return {"frame_step": self._frame_step, **asdict(self._rule)}

    def groups(self) -> list[str]:
        """Return the wanted sessions, sorted.

        Raises:
            ValueError: If the folder holds none of them, or one of them twice.
        """
        if not self._session_dirs:
            raise ValueError(
                f"{self.raw_dir} holds no EYEDIAP session of the wanted kinds {self._wanted}. "
                "Expected folders such as EYEDIAP1/EYEDIAP/Data/1_A_CS_S with head_pose.txt in "
                "them; give the folder above them as data.raw_dir=..."
            )
        return sorted(self._session_dirs)

    def count(self, group: str) -> int:
        """Return how many frames of a session are items, lost ones included."""
        return len(self._session(group).frames(self._frame_step))

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a session's lost frames as skipped, then the others in order."""
        session = self._session(group)
        frames = session.frames(self._frame_step)
        index = {frame: i for i, frame in enumerate(frames)}
        labels: dict[int, FrameLabel] = {}
        for frame, label in session.label(frames, self._rule).items():
            if isinstance(label, str):
                yield skipped(group, frame, label)
            else:
                labels[frame] = label
        yield from _samples(session, labels, index, self._camera)

    def _session(self, group: str) -> EyediapSession:
        return EyediapSession(self._session_dirs[group], self._gaze_state_paths.get(group))

    @cached_property
    def _session_dirs(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in sorted(self.raw_dir.rglob("head_pose.txt")):
            session_dir = path.parent
            if not self._is_wanted(session_dir.name):
                continue
            if session_dir.name in found:
                first = found[session_dir.name]
                raise ValueError(f"session in two places: {first} and {session_dir}; remove one")
            found[session_dir.name] = session_dir
        return found

    @cached_property
    def _gaze_state_paths(self) -> dict[str, Path]:
        return {path.parent.name: path for path in self.raw_dir.rglob("gaze_state.txt")}

    def _is_wanted(self, session: str) -> bool:
        match = SESSION_NAME.fullmatch(session)
        return match is not None and all(match[key] in kept for key, kept in self._wanted.items())


def _samples(
    session: EyediapSession,
    labels: dict[int, FrameLabel],
    index: dict[int, int],
    camera_name: CameraName,
) -> Iterator[RawSample | Skipped]:
    """Yield the labelled frames in order, then those that the video does not give."""
    if not labels:
        return
    missing = set(labels)
    reason = "the video ends before this frame"
    path, camera = session.video_path(camera_name), session.calibration(camera_name)
    try:
        for frame, image in read_frames(path, set(labels)):
            missing.remove(frame)
            yield _sample(session.name, frame, index[frame], image, labels[frame], camera)
    except ValueError as error:
        reason = f"no {path.name}"
        if path.is_file():
            LOG.warning("%s", error)
            reason = f"{path.name} is damaged"
    for frame in sorted(missing):
        yield skipped(session.name, frame, reason)


def _sample(
    session: str,
    frame: int,
    index: int,
    image: Image,
    label: FrameLabel,
    camera: Calibration,
) -> RawSample | Skipped:
    if image.shape[:2] != (camera.height, camera.width):
        return skipped(session, frame, "the video's size is not the calibration's")
    return RawSample(
        sample_id=sample_id(session, frame),
        subject=person_of(session),
        group=session,
        index=index,
        image=image,
        gaze=label.gaze,
        head_pose=label.head_pose,
        camera_matrix=camera.camera_matrix,
        face_hint_px=label.eyes_px,
        frame=frame,
    )


def _check_choice(option: str, values: tuple[str, ...] | list[str], known: tuple[str, ...]) -> None:
    wrong = [value for value in values if value not in known]
    if wrong or not values:
        raise ValueError(f"{option} is {list(values)}, expected some of {', '.join(known)}")
