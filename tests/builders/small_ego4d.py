"""A small Ego4D folder: videos whose grey level tells the frame, annotations as tests want them."""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from common.media.video_writer import write_video

GREY_STEP = 5
WIDTH, HEIGHT, NUM_FRAMES = 64, 48, 40


def box(frame, x=10.0, y=8.0, width=20.0, height=16.0, **changes):
    place = {"x": x, "y": y, "width": width, "height": height, "frame": frame}
    return {**place, "video_frame": frame, "clip_frame": None, **changes}


def track(track_id, frames, **changes):
    boxes = [frame if isinstance(frame, dict) else box(frame) for frame in frames]
    marks = {"suspect": False, "unmapped_frames_count": 0, "unmapped_frames": []}
    return {"track_id": track_id, "track": boxes, **marks, **changes}


def person(person_id, *tracks, wearer=False):
    return {
        "person_id": person_id,
        "camera_wearer": wearer,
        "tracking_paths": list(tracks),
        "voice_segments": [],
    }


def look(person_id, first, last):
    return {
        "start_time": first / 30,
        "end_time": last / 30,
        "start_frame": first,
        "end_frame": last,
        "person": person_id,
        "target": None,
        "is_at_me": False,
    }


WEARER = person("0", wearer=True)


def clip(uid, persons=None, looks=(), **changes):
    persons = [WEARER, person("1", track("t1", range(3, 12)))] if persons is None else persons
    return {
        "clip_uid": uid,
        "source_clip_uid": uid,
        "video_uid": f"video-{uid}",
        "video_start_sec": 0,
        "video_start_frame": 0,
        "clip_start_frame": 0,
        "clip_end_frame": NUM_FRAMES,
        "clip_end_sec": NUM_FRAMES / 30,
        "valid": True,
        "camera_wearer": WEARER,
        "persons": persons,
        "transcriptions": None,
        "social_segments_talking": None,
        "social_segments_looking": list(looks),
        **changes,
    }


def default_clips():
    looks = [look("1", 5, 7)]
    return {
        "train": [clip("aaa", looks=looks), clip("bbb", looks=looks)],
        "val": [clip("ccc", looks=looks)],
    }


def write_annotations(raw_dir, clips, version="v2", **dump):
    """Write av_*.json, each clip under a video of its own."""
    for part, part_clips in clips.items():
        videos = [{"video_uid": c["video_uid"], "split": part, "clips": [c]} for c in part_clips]
        content = {"date": "2022", "version": "2", "description": "social", "videos": videos}
        path = raw_dir / version / "annotations" / f"av_{part}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, **dump), encoding="utf-8")


def write_grey_video(path, num_frames=NUM_FRAMES, fps_hz=30):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(num_frames, fps_hz))


@cache
def _encoded(num_frames, fps_hz):
    """Encode a video once: a tenth of a second that hundreds of tests would spend again."""
    frames = (np.full((HEIGHT, WIDTH, 3), GREY_STEP * i, np.uint8) for i in range(num_frames))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grey.mp4"
        write_video(path, frames, fps_hz)
        return path.read_bytes()


def write_lists(raw_dir, lists):
    """Write split lists, as published without a newline at the end."""
    (raw_dir / "split").mkdir(parents=True, exist_ok=True)
    for part, clips in lists.items():
        (raw_dir / "split" / f"{part}.list").write_text("\n".join(clips))


def write_small_ego4d(raw_dir, clips=None, version="v2"):
    """Write annotations, lists and a video for every clip."""
    clips = default_clips() if clips is None else clips
    write_annotations(raw_dir, clips, version)
    write_lists(raw_dir, {part: [c["clip_uid"] for c in cs] for part, cs in clips.items()})
    for part_clips in clips.values():
        for c in part_clips:
            write_grey_video(raw_dir / version / "clips" / f"{c['clip_uid']}.mp4")
    return raw_dir
