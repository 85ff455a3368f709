"""Which clips an Ego4D folder holds for which part, and where their annotations lie."""

import logging
from collections import ChainMap
from collections.abc import Collection, Iterable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from common.listing import counted_names, listed
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.ego4d.annotation import ClipAnnotation, clip_uid_of, parse_clip
from gazepose.readers.ego4d.files import Ego4DFiles
from gazepose.readers.ego4d.spans import ClipSpan, iterate_clips
from gazepose.readers.json_entries import malformed_entries
from gazepose.readers.split_lists import check_disjoint, is_clip_id, read_split_list, rebuilt_list
from gazepose.readers.track_boxes import DroppedBox, skipped_box
from gazepose.readers.tracks import TrackRule, all_tracks

LOG = logging.getLogger(__name__)
_SUSPECT = "a box of a track that the annotators marked as suspect"


@dataclass(frozen=True)
class ClipEntry:
    """A clip that a part wants.

    Attributes:
        part: train or val.
        span: where its annotations lie; None if no file has them.
        num_rows: frames of its tracks, gaps filled; 0 if its annotations are damaged.
    """

    part: str
    span: ClipSpan | None
    num_rows: int


def find_clips(files: Ego4DFiles, parts: Iterable[str], rule: TrackRule) -> dict[str, ClipEntry]:
    """Go through the annotations once and note where the parts' clips lie.

    Args:
        files: the folder.
        parts: of train and val.
        rule: that the tracks will be made by.

    Returns:
        The clips in their lists' order, part after part. Those that a list names and no file
        has are among them: they will fail, and be reported, one by one.

    Raises:
        ValueError: If a part's annotations are missing or damaged, its list is empty, or a clip
            is in two lists.
    """
    annotated = {part: _annotated_clips(files.annotation_path(part), rule) for part in parts}
    # A list may name clips of any part's annotations; the first file that has one counts.
    known = dict(ChainMap(*annotated.values()))
    wanted = {part: part_clips(files, part, clips, known) for part, clips in annotated.items()}
    check_disjoint(wanted)
    nowhere = (None, 0)
    return {
        uid: ClipEntry(part, *known.get(uid, nowhere))
        for part, clips in wanted.items()
        for uid in clips
    }


def part_clips(
    files: Ego4DFiles, part: str, annotated: Iterable[str], known: Collection[str]
) -> list[str]:
    """Return the clips of a part's split list, or of its annotations if there is no list.

    Args:
        files: the folder.
        part: train or val.
        annotated: the clips of the part's annotations.
        known: those of all annotations.

    Raises:
        ValueError: If the list names no clip.
    """
    annotated = list(annotated)
    path = files.list_path(part)
    if path is not None:
        clips = read_split_list(path)
        unknown = sorted(set(clips).difference(known))
        if unknown:
            LOG.warning("%s names clips without annotations: %s", path, listed(unknown))
        return clips
    rebuilt = rebuilt_list(annotated)
    LOG.info(
        "no %s.list: its %d clips are those of %s, less %d that the published list leaves out",
        part,
        len(rebuilt),
        files.annotation_path(part),
        len(annotated) - len(rebuilt),
    )
    return rebuilt


def require_annotations(path: Path, part: str) -> None:
    """Refuse a part without annotations.

    Raises:
        ValueError: If the file is not there.
    """
    if not path.is_file():
        raise ValueError(
            f"no {path}, which the {part} part needs: download the annotations, or leave the part "
            "out with data.reader.parts=[...]"
        )


def clip_tracks(
    annotation: ClipAnnotation,
    rule: TrackRule,
    image_size: tuple[int, int] | None,
    keep_suspect: bool,
) -> tuple[tuple[FaceTrack, ...], tuple[Skipped, ...]]:
    """Return a clip's labelled tracks, and what of its annotations was left out.

    Args:
        annotation: of the clip.
        rule: what becomes of the boxes.
        image_size: (width, height) px of its video; None if it is not known.
        keep_suspect: keep tracks that the annotators marked as suspect.

    Raises:
        ValueError: If the tracks would be longer than memory holds.
    """
    suspect = frozenset(() if keep_suspect else annotation.oddities.suspect_tracks)
    tracks: list[FaceTrack] = []
    dropped = list(annotation.dropped)
    for raw in annotation.tracks:
        if raw.track_id in suspect:
            dropped += [DroppedBox(raw.track_id, int(f), _SUSPECT) for f in raw.frames]
    kept = (raw for raw in annotation.tracks if raw.track_id not in suspect)
    try:
        for pieces, more in all_tracks(kept, annotation.looks, rule, image_size):
            tracks += pieces
            dropped += more
    except ValueError as error:
        raise ValueError(f"clip {annotation.clip_uid}: {error}") from error
    skipped = malformed_entries(annotation.clip_uid, "", annotation.oddities.malformed)
    skipped += [skipped_box(annotation.clip_uid, box) for box in dropped]
    return tuple(tracks), tuple(skipped)


def num_rows(annotation: ClipAnnotation, rule: TrackRule) -> int:
    """Return how many frames a clip's tracks have, boxes outside the image included.

    Raises:
        ValueError: As `clip_tracks`.
    """
    tracks = all_tracks(annotation.tracks, {}, rule)
    return sum(len(piece) for pieces, _ in tracks for piece in pieces)


def _annotated_clips(path: Path, rule: TrackRule) -> MutableMapping[str, tuple[ClipSpan, int]]:
    require_annotations(path, path.stem.removeprefix("av_"))
    found: dict[str, tuple[ClipSpan, int]] = {}
    for span, clip in iterate_clips(path):
        uid = clip_uid_of(clip)
        if uid in found:
            LOG.warning("%s has clip %s twice; the first counts", path, uid)
        elif not is_clip_id(uid):
            LOG.warning("%s has a clip without a usable clip_uid (%.80r), left out", path, uid)
        else:
            found[uid] = (span, _counted(clip, rule))
    return found


def _counted(clip: object, rule: TrackRule) -> int:
    try:
        annotation = parse_clip(clip)
        count = num_rows(annotation, rule)
    except ValueError:
        return 0  # reading the clip will say what is wrong
    renamed = annotation.oddities.renamed_tracks
    if renamed:
        what = counted_names(renamed, "tracks whose id another of its tracks has; called now")
        LOG.warning("clip %s has %s", annotation.clip_uid, what)
    return count
