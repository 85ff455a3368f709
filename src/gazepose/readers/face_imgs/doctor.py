"""What a folder of the originals lacks of a part's clips, said before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from common.listing import counted_names
from common.preprocessing.findings import Finding

FACES_DIR = "face_imgs"


def part_findings(data_dir: Path, part: str, clips: list[str]) -> list[Finding]:
    """Say which clips lack a folder or a file.

    Args:
        data_dir: with ``json_original``, ``face_imgs`` and ``result_LAM``.
        part: train or val.
        clips: of its list.
    """
    tracks, faces, looks = (data_dir / n for n in ("json_original", FACES_DIR, "result_LAM"))
    seen: list[tuple[Literal["error", "warning"], list[str], str]] = [
        (
            "error",
            [clip for clip in clips if not (tracks / clip).is_dir()],
            "clips without tracks in json_original",
        ),
        (
            "error",
            [clip for clip in clips if not (faces / clip).is_dir()],
            f"clips without a folder in {FACES_DIR}",
        ),
        (
            "warning",
            [clip for clip in clips if not (looks / f"{clip}.json").is_file()],
            "clips without a file in result_LAM: nobody looks at the camera",
        ),
    ]
    where = str(data_dir)
    return [
        Finding("note", f"{part}: {len(clips)} clips", where),
        *(
            Finding(severity, f"{part}: {counted_names(found, what)}", where)
            for severity, found, what in seen
            if found
        ),
    ]
