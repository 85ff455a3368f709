"""Ego4D's audio-visual annotations of staged clips: `av_{train,val,test_unannotated}.json`.

Fields, nulls and oddities are those of the released files: `is_at_me` is false and `target` null
in every row, the wearer is the first person, segments are unordered and may overlap.
"""

from typing import Any

import numpy as np

from common.synthetic.ego4d.plan import FPS_HZ, Ego4dPlan
from common.synthetic.ego4d.scene import Actor, Scene
from common.synthetic.ego4d.tracks import BoxTrack, annotate_tracks

Json = dict[str, Any]

SEGMENT_STREAM = 15
FILE_NAMES = {"train": "av_train.json", "val": "av_val.json", "test": "av_test_unannotated.json"}
WEARER = "0"
# Speakers that nobody could name.
UNKNOWN_PERSON = "-1"
# Long segments are sometimes noted as two that overlap; rows without a person occur.
OVERLAP_SHARE, LEAST_OVERLAPPED, NULL_PERSON_SHARE = 0.3, 9, 0.4
FLOAT_DIGITS = 3


def annotation_file(plan: Ego4dPlan, part: str, scenes: list[Scene]) -> Json:
    """Return the content of a part's file; that of test has no labels and tracks."""
    videos: dict[str, Json] = {}
    for scene in scenes:
        uid = scene.clip.video_uid
        video = videos.setdefault(uid, {"video_uid": uid, "split": part, "clips": []})
        video["clips"].append(_clip(plan, scene))
    return {
        "date": "220216",
        "version": "1.0",
        "description": "Invented people in the form of the Ego4D audio-visual annotations",
        "videos": list(videos.values()),
    }


def _clip(plan: Ego4dPlan, scene: Scene) -> Json:
    first, last = scene.clip.video_start_frame, scene.clip.video_start_frame + scene.num_frames
    labels = _hidden_labels() if scene.clip.part == "test" else _labels(plan, scene)
    return {
        "clip_uid": scene.clip.clip_uid,
        "source_clip_uid": scene.clip.clip_uid,
        "video_uid": scene.clip.video_uid,
        "video_start_sec": first / FPS_HZ,
        "video_end_sec": last / FPS_HZ,
        "video_start_frame": first,
        "video_end_frame": last,
        "clip_start_sec": 0,
        "clip_end_sec": scene.num_frames / FPS_HZ,
        "clip_start_frame": 0,
        "clip_end_frame": scene.num_frames,
        "valid": True,
        **labels,
    }


def _hidden_labels() -> Json:
    return {
        "camera_wearer": None,
        "persons": [],
        "missing_voice_segments": [],
        "transcriptions": None,
        "social_segments_talking": None,
        "social_segments_looking": None,
    }


def _labels(plan: Ego4dPlan, scene: Scene) -> Json:
    rng = np.random.default_rng([SEGMENT_STREAM, *scene.clip.entropy])
    wearer = _person(WEARER, [], scene)
    tracks = annotate_tracks(scene)
    people = [
        _person(one, [track for track in tracks if track.person_id == one], scene)
        for one in (actor.person_id for actor in scene.actors)
    ]
    return {
        "camera_wearer": wearer,
        "persons": [wearer, *people],
        "missing_voice_segments": [],
        "transcriptions": [],
        "social_segments_talking": _talking(rng, scene),
        "social_segments_looking": _looking(rng, plan, scene),
    }


def _person(person_id: str, tracks: list[BoxTrack], scene: Scene) -> Json:
    return {
        "person_id": person_id,
        "camera_wearer": person_id == WEARER,
        "tracking_paths": [_track(track, scene.clip.video_start_frame) for track in tracks],
        "voice_segments": [],
    }


def _track(track: BoxTrack, video_start_frame: int) -> Json:
    return {
        "track_id": track.track_id,
        "track": [
            _box(int(frame), box.tolist(), video_start_frame)
            for frame, box in zip(track.frames, track.boxes_xyxy_px, strict=True)
        ],
        "suspect": track.is_suspect,
        "unmapped_frames_count": len(track.unmapped_frames),
        "unmapped_frames": track.unmapped_frames,
    }


def _box(frame: int, xyxy_px: list[float], video_start_frame: int) -> Json:
    x0, y0, x1, y1 = (round(value, FLOAT_DIGITS) for value in xyxy_px)
    return {
        "x": x0,
        "y": y0,
        "width": round(x1 - x0, FLOAT_DIGITS),
        "height": round(y1 - y0, FLOAT_DIGITS),
        "frame": frame,
        "video_frame": frame + video_start_frame,
        "clip_frame": None,
    }


def _looking(rng: np.random.Generator, plan: Ego4dPlan, scene: Scene) -> list[Json] | None:
    """Return who looks at the camera when, unordered; null for some clips without any."""
    spans = [
        (actor.person_id, *span)
        for actor in scene.actors
        for run in looking_runs(actor, plan.looking_angle_deg)
        for span in _spans(rng, run)
    ]
    if not spans:
        return None if scene.clip.part == "train" else []
    rows = [_segment(rng, scene, *span) for span in spans]
    if rng.random() < NULL_PERSON_SHARE:
        # Nobody's row must not make anybody positive: it covers the whole clip.
        rows.append(_segment(rng, scene, None, 0, scene.num_frames - 1))
    return [rows[index] for index in rng.permutation(len(rows))]


def looking_runs(actor: Actor, looking_angle_deg: float) -> list[tuple[int, int]]:
    """Return first and last frame of each uninterrupted look into the camera, both inclusive."""
    is_looking = np.concatenate([[0], actor.performance.is_looking(looking_angle_deg), [0]])
    change = np.diff(is_looking.astype(int))
    starts, stops = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return [(int(start), int(stop) - 1) for start, stop in zip(starts, stops, strict=True)]


def _spans(rng: np.random.Generator, run: tuple[int, int]) -> list[tuple[int, int]]:
    """Return a run, or two overlapping spans whose union it is."""
    first, last = run
    if last - first < LEAST_OVERLAPPED or rng.random() >= OVERLAP_SHARE:
        return [run]
    middle, overlap = int(rng.integers(first + 3, last - 2)), int(rng.integers(1, 4))
    return [(first, middle + overlap), (middle - overlap + 1, last)]


def _talking(rng: np.random.Generator, scene: Scene) -> list[Json] | None:
    if rng.random() < 0.2:
        return None
    speakers = [actor.person_id for actor in scene.actors] + [WEARER, UNKNOWN_PERSON]
    rows = []
    for _ in range(int(rng.integers(0, 4))):
        first, last = sorted(rng.integers(0, scene.num_frames, 2).tolist())
        rows.append(_segment(rng, scene, str(rng.choice(speakers)), first, last))
    return rows


def _segment(
    rng: np.random.Generator, scene: Scene, person: str | None, first: int, last: int
) -> Json:
    # Times lie a little inside their frames, so that floor(30 t) is the frame.
    start, end = (float((frame + rng.uniform(0.05, 0.9)) / FPS_HZ) for frame in (first, last))
    offset = scene.clip.video_start_frame
    return {
        "start_time": start,
        "end_time": end,
        "start_frame": first,
        "end_frame": last,
        "video_start_time": start + offset / FPS_HZ,
        "video_end_time": end + offset / FPS_HZ,
        "video_start_frame": first + offset,
        "video_end_frame": last + offset,
        "person": person,
        "target": None,
        "is_at_me": False,
    }
