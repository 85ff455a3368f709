"""What the tree lacks of a part's clips, said before anything runs."""

from collections.abc import Mapping
from pathlib import Path

from common.listing import counted_names
from common.preprocessing.findings import Finding
from gazepose.readers.face_imgs.files import LOOKS_DIR, TRACKS_DIR


def trackless_clips(data_dir: Path, part: str, clips: list[str]) -> list[Finding]:
    """Say which clips the label scripts wrote nothing for.

    Args:
        data_dir: with ``json_original`` and ``result_LAM``.
        part: train or val.
        clips: of its list.
    """
    tracks, looks, where = data_dir / TRACKS_DIR, data_dir / LOOKS_DIR, str(data_dir)
    findings = [Finding("note", f"{part}: {len(clips)} clips", where)]
    without = [clip for clip in clips if not (tracks / clip).is_dir()]
    if without:
        what = f"{part}: {counted_names(without, f'clips without tracks in {TRACKS_DIR}')}"
        findings.append(Finding("error", what, where))
    unseen = [clip for clip in clips if not (looks / f"{clip}.json").is_file()]
    if unseen:
        nobody = f"clips without a file in {LOOKS_DIR}: nobody looks at the camera"
        findings.append(Finding("warning", f"{part}: {counted_names(unseen, nobody)}", where))
    return findings


def faceless_clips(faces_dir: Path, parts: Mapping[str, list[str]]) -> list[Finding]:
    """Say which clips have no folder of face images.

    Args:
        faces_dir: with ``<clip>/<track>/face_XXXXX.jpg``.
        parts: their clips.
    """
    findings = []
    for part, clips in parts.items():
        without = [clip for clip in clips if not (faces_dir / clip).is_dir()]
        if without:
            named = counted_names(without, f"clips without a folder in {faces_dir.name}")
            remedy = "they fail; cut their faces too, or take them out of the list"
            findings.append(Finding("error", f"{part}: {named}", str(faces_dir), remedy))
    return findings
