"""What is missing or inconsistent in an Ego4D folder, said before anything runs.

Annotations are parsed and headers of videos read; no frame is decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from common.findings import Finding
from common.listing import counted, counted_names, listed
from gazepose.clip_json import iterate_clips
from gazepose.ego4d_clips import require_annotations
from gazepose.ego4d_files import Ego4DFiles, download_command, read_manifest
from gazepose.ego4d_survey import PartSurvey
from gazepose.split_lists import check_disjoint, list_faults, read_split_list, rebuilt_list
from gazepose.tracks import TrackRule


@dataclass(frozen=True)
class _Wording:
    severity: Literal["error", "warning", "note"]
    what: str
    remedy: str = ""


_WORDINGS = {
    "malformed": _Wording(
        "warning", "clips whose annotations cannot be read", "they fail; download them again"
    ),
    "malformed_entry": _Wording(
        "warning", "places where annotations are malformed", "they are passed over"
    ),
    "no_video": _Wording("warning", "clips without a video", "they fail; {download}"),
    "small_video": _Wording(
        "error",
        "clips there as video_540ss only, while the boxes are full-scale pixels",
        "download clips or full_scale, or give data.reader.annotations_dir=.../annotations_540ss",
    ),
    "reduced_video": _Wording(
        "error",
        "videos smaller than what the boxes were drawn on",
        "they fail; download clips or full_scale, not video_540ss",
    ),
    "unreadable_video": _Wording(
        "warning", "videos that cannot be opened", "they fail; download them again"
    ),
    "other_rate": _Wording(
        "error",
        "videos whose frame rate is not the annotations'",
        "they fail; ffmpeg -i IN.mp4 -vf fps=30 OUT.mp4",
    ),
    "short_video": _Wording(
        "warning",
        "videos with boxes after their end",
        "boxes past the end have no image; the download may have been cut short",
    ),
    "unlabelled": _Wording("note", "clips whose looking segments are null: nobody looks"),
    "no_tracks": _Wording("note", "clips in which nobody is tracked"),
    "unowned": _Wording("note", "clips with looking segments of nobody, which are passed over"),
    "useless": _Wording("note", "clips with looking segments without frames, passed over"),
    "unseen": _Wording("note", "clips with looking segments of persons without a track"),
    "renamed": _Wording("warning", "tracks whose id another track of the clip has; renamed"),
    "suspect": _Wording(
        "note", "tracks marked as suspect", "data.reader.keep_suspect=false leaves them out"
    ),
    "long_gap": _Wording(
        "note",
        "tracks with gaps longer than max_gap",
        "{split}",
    ),
}

_UNUSABLE_VIDEOS = ("no_video", "unreadable_video")


def examine(files: Ego4DFiles, parts: Collection[str], rule: TrackRule) -> list[Finding]:
    """Look at the annotated parts of a folder.

    Args:
        files: the folder.
        parts: of train and val.
        rule: by which tracks will be made.
    """
    findings = [Finding("note", "annotations found", str(files.annotations_dir))]
    clips_of_part: dict[str, list[str]] = {}
    for part in parts:
        clips, about_list = _part_list(files, part)
        annotated, survey, about_file = _surveyed(files, part, clips, rule)
        clips_of_part[part] = rebuilt_list(annotated) if clips is None else clips
        findings += about_list + about_file
        # What half a file lacks says nothing of the data set.
        is_whole = not any(finding.severity == "error" for finding in about_file)
        findings += _compared(files, part, clips, annotated, is_whole=is_whole)
        findings += _survey_findings(files, part, survey, rule, is_whole=is_whole)
    try:
        check_disjoint(clips_of_part)
    except ValueError as error:
        findings.append(Finding("error", str(error), str(files.split_dir)))
    return findings + _manifest_findings(files)


def _part_list(files: Ego4DFiles, part: str) -> tuple[list[str] | None, list[Finding]]:
    """Return a part's split list, None if there is none to use, and what is wrong with it."""
    path = files.list_path(part)
    if path is None:
        return None, []
    try:
        clips = read_split_list(path)
    except ValueError as error:
        return None, [Finding("error", str(error), str(path), "get the published list")]
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    faults = list_faults(map(str.strip, lines))
    return clips, [Finding("warning", fault, str(path)) for fault in faults]


def _surveyed(
    files: Ego4DFiles, part: str, clips: Collection[str] | None, rule: TrackRule
) -> tuple[list[str], PartSurvey, list[Finding]]:
    """Return the clips of a part's annotations, a look at the wanted ones, and what is wrong."""
    path = files.annotation_path(part)
    survey, annotated = PartSurvey(), []
    try:
        require_annotations(path, part)
        for _, clip in iterate_clips(path):
            uid = str(clip.get("clip_uid")) if isinstance(clip, dict) else ""
            if uid not in annotated and uid in (rebuilt_list([uid]) if clips is None else clips):
                survey.look_at(clip, files, rule)
            annotated.append(uid)
    except ValueError as error:
        return annotated, survey, [Finding("error", str(error), str(path))]
    twice = sorted(uid for uid, count in Counter(annotated).items() if count > 1)
    doubled = f"clips that the annotations have twice; the first counts: {listed(twice)}"
    return annotated, survey, [Finding("warning", doubled, str(path))] if twice else []


def _compared(
    files: Ego4DFiles, part: str, clips: list[str] | None, annotated: list[str], *, is_whole: bool
) -> list[Finding]:
    """Compare a list with the annotations."""
    if clips is None:
        removed = len(annotated) - len(rebuilt_list(annotated))
        what = (
            f"no usable {part}.list: its clips are those of the annotations, less {removed} that "
            "the published list leaves out"
        )
        return [Finding("note", what, str(files.annotation_path(part)))]
    unknown = [clip for clip in clips if clip not in set(annotated)]
    unlisted = [clip for clip in annotated if clip not in set(clips)]
    place = str(files.list_path(part))
    findings = []
    if unknown and is_whole:
        what = counted_names(unknown, "clips of the list without annotations")
        findings.append(Finding("warning", what, place, "they fail; take them out of the list"))
    if unlisted:
        what = counted_names(unlisted, "clips with annotations, not in the list")
        findings.append(Finding("note", what, place))
    return findings


def _survey_findings(
    files: Ego4DFiles, part: str, survey: PartSurvey, rule: TrackRule, *, is_whole: bool
) -> Iterator[Finding]:
    place = str(files.annotation_path(part))
    share = survey.num_positive / max(survey.num_frames, 1)
    yield Finding(
        "note",
        f"{part}: {counted(survey.num_clips, 'clips')}, {counted(survey.num_tracks, 'tracks')}, "
        f"{counted(survey.num_frames, 'frames')}, {share:.1%} of them look at the camera",
        place,
    )
    if is_whole and not survey.num_positive:
        what = f"{part}: nobody looks at the camera in any frame"
        remedy = "it can be neither trained on nor scored: are the annotations complete?"
        yield Finding("error", what, place, remedy)
    yield from _cases(files, part, survey, rule)
    if survey.num_dropped:
        counts = ", ".join(f"{n} of {reason}" for reason, n in sorted(survey.num_dropped.items()))
        yield Finding("note", f"{part}: boxes left out: {counts}", place)


def _cases(files: Ego4DFiles, part: str, survey: PartSurvey, rule: TrackRule) -> Iterator[Finding]:
    """Word what was seen in single clips and tracks; a video missing for all is an error."""
    advice = {
        "download": download_command(files.raw_dir, "clips"),
        "split": "" if rule.name == "repaired" else "data.reader.track_rule=repaired splits them",
    }
    for kind, wording in _WORDINGS.items():
        cases = survey.cases.get(kind)
        if cases:
            is_all = kind in _UNUSABLE_VIDEOS and len(cases) == survey.num_clips
            what = f"{part}: {counted_names(cases, wording.what)}"
            what = f"{what} (all of the part)" if is_all else what
            severity = "error" if is_all else wording.severity
            remedy = wording.remedy.format(**advice)
            yield Finding(severity, what, str(files.annotation_path(part)), remedy)


def _manifest_findings(files: Ego4DFiles) -> list[Finding]:
    """Compare the downloader's own lists with what is there."""
    findings = []
    for path in files.manifests():
        try:
            names = read_manifest(path)
        except ValueError as error:
            findings.append(Finding("note", str(error), str(path)))
            continue
        missing = sorted(name for name in names if not (path.parent / name).is_file())
        if missing:
            what = f"{len(missing)} of {len(names)} files of the manifest are not there"
            findings.append(Finding("note", f"{what}: {listed(missing)}", str(path)))
    return findings
