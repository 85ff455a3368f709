"""Scores of a video's faces while its frames come: each face is cut and looked at once.

A frame goes through three stations, each of which waits for some frames after it: its boxes are
settled (`SteadyTracks`) and its faces cut, measured and looked at; its clips, of three frames on
either side, are decided; its scores are smoothed. What comes out is what preprocessing and
validation make of the same tracks, without a store in between.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Float, Image
from common.prediction.annotator import Found
from gazepose.batch import CENTRE, NUM_FRAMES
from gazepose.data.coverage import warn_of_num_beyond
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.prediction.frame_scores import Clip, FrameScorer, Look
from gazepose.preprocessing.preparation import PreparedFace, Preparer
from gazepose.readers.steady_tracks import SteadyBox, SteadyTracks

# So many frames' faces go through the net together.
_NUM_AT_ONCE = 8
_STEPS = range(-CENTRE, NUM_FRAMES - CENTRE)


@dataclass
class ScoredFace:
    """A face of a frame, and what is known of it so far.

    Attributes:
        box: where it is.
        face: as prepared, without its image; None where the frame shows no pixel of it.
        sharpness_p: rank of its sharpness, NaN where there is none.
        look: what the net sees in it; None as for `face`.
        score: probability of looking at the camera, NaN where there is none.
    """

    box: SteadyBox
    face: PreparedFace | None
    sharpness_p: float = np.nan
    look: Look | None = None
    score: float = np.nan


@dataclass(frozen=True)
class ContactStream:
    """Judges the frames of one video.

    Attributes:
        scorer: looks and decides.
        preparer: cuts and measures faces as in training.
        tracks: steadies their boxes.
        smoothing: of scores.
        ranks: sharpness of some faces (n,) -> their ranks.
        is_live: frames wait for none after them.
    """

    scorer: FrameScorer
    preparer: Preparer
    tracks: SteadyTracks
    smoothing: TrackSmoothing
    ranks: Callable[[Float], Float]
    is_live: bool

    def judge(self, found: Iterable[Found]) -> Iterator[tuple[Found, list[ScoredFace]]]:
        """Yield frames in order with their faces, track by track."""
        state = _State()
        frames, num_at_once = iter(found), 1 if self.is_live else _NUM_AT_ONCE
        lags = self.tracks.reach_frames, CENTRE, self.smoothing.reach_frames
        while block := list(islice(frames, num_at_once)):
            for frame in block:
                self.tracks.add(frame)
                state.waiting.append(frame)
            yield from self._advanced(state, (0, 0, 0) if self.is_live else lags)
        if state.waiting:
            yield from self._advanced(state, (0, 0, 0))
        warn_of_num_beyond(state.num_beyond, state.num_clips)

    def _advanced(
        self, state: "_State", lags: tuple[int, int, int]
    ) -> Iterator[tuple[Found, list[ScoredFace]]]:
        """Bring every frame as far as the newest one allows; yield those that are done."""
        settled, decided, done = state.waiting[-1].frame.number - np.cumsum(lags)
        self._settle(state, int(settled))
        self._decide(state, int(decided))
        smoothed = self._smoothed(state, int(done))
        while state.waiting and state.waiting[0].frame.number <= done:
            frame = state.waiting.popleft()
            faces = state.faces.get(frame.frame.number, {})
            yield frame, [replace(one, score=smoothed[id(one)]) for one in faces.values()]
        state.forget(int(done) - max(CENTRE, lags[2], self.smoothing.reach_frames))

    def _settle(self, state: "_State", until: int) -> None:
        """Cut, measure and look at the faces of the frames up to `until`."""
        pictures = {frame.frame.number: frame.frame.image for frame in state.waiting}
        images: list[Image] = []
        seen: list[ScoredFace] = []
        for box in self.tracks.boxes(state.settled + 1, until):
            if box.frame not in pictures:
                continue  # damaged
            face = self.preparer.from_frame(pictures[box.frame], box.bbox_xyxy_px, box.mesh)
            scored = ScoredFace(box, face)
            state.faces.setdefault(box.frame, {})[box.track_id] = scored
            if face is not None:
                images.append(self.scorer.pixels(face))
                scored.face = replace(face, encoded=b"")
                seen.append(scored)
        sharpness = np.array([one.face.sharpness for one in seen if one.face is not None])
        looks = self.scorer.look(images)
        for one, rank, look in zip(seen, self.ranks(sharpness), looks, strict=True):
            one.sharpness_p, one.look = float(rank), look
        state.settled = max(state.settled, until)

    def _decide(self, state: "_State", until: int) -> None:
        """Score the faces of the frames up to `until`."""
        asked = [
            one
            for frame in range(state.decided + 1, until + 1)
            for one in state.faces.get(frame, {}).values()
            if one.look is not None
        ]
        clips = [_clip(state, one.box) for one in asked]
        state.num_clips += len(clips)
        state.num_beyond += self.scorer.num_beyond(clips)
        scores = self.scorer.scores(clips)
        for one, score in zip(asked, scores, strict=True):
            one.score = float(score)
        state.decided = max(state.decided, until)

    def _smoothed(self, state: "_State", until: int) -> dict[int, float]:
        """Return the scores of all faces up to `until` by their identity."""
        every = [one for faces in state.faces.values() for one in faces.values()]
        known = [one for one in every if one.look is not None and one.box.frame <= state.decided]
        table = pl.DataFrame(
            {
                "uid": ["video"] * len(known),
                "trackid": [one.box.track_id for one in known],
                "frame": [one.box.frame for one in known],
                "score": [one.score for one in known],
            },
            schema={"uid": pl.String, "trackid": pl.String, "frame": pl.Int64, "score": pl.Float64},
        )
        scores = {id(one): np.nan for one in every if one.box.frame <= until}
        smoothed = self.smoothing(table)["score"].to_list()
        return scores | {id(one): score for one, score in zip(known, smoothed, strict=True)}


class _State:
    """How far the frames of a video have come.

    Attributes:
        waiting: frames that are not done, in order.
        faces: of each frame by track; of done frames as long as others ask for them.
        settled: the last frame whose boxes are settled.
        decided: the last frame whose clips are decided.
        num_clips: that were.
        num_beyond: of them, those with a head pose beyond the last bin.
    """

    def __init__(self) -> None:
        self.waiting: deque[Found] = deque()
        self.faces: dict[int, dict[str, ScoredFace]] = {}
        self.settled = -1
        self.decided = -1
        self.num_clips = 0
        self.num_beyond = 0

    def forget(self, before: int) -> None:
        self.faces = {n: faces for n, faces in self.faces.items() if n >= before}


def _clip(state: _State, box: SteadyBox) -> Clip:
    """Return the frames around one, of the same track."""
    around = [state.faces.get(box.frame + step, {}).get(box.track_id) for step in _STEPS]
    return Clip(
        looks=[None if one is None else one.look for one in around],
        sharpness_p=_values([None if one is None else one.sharpness_p for one in around]),
        faces=[None if one is None else one.face for one in around],
    )


def _values(numbers: list[float | None]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if number is None else number for number in numbers])
