"""What is missing or inconsistent in an Ego4D folder, said before anything runs.

Annotations are parsed, headers of videos read; of each video one frame is decoded.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.files.foreign_files import read_lines
from common.listing import counted, counted_names, listed
from common.preprocessing.findings import Finding
from gazepose.readers.ego4d.annotation import clip_uid_of
from gazepose.readers.ego4d.clips import require_annotations
from gazepose.readers.ego4d.files import Ego4DFiles, download_command, read_manifest
from gazepose.readers.ego4d.spans import iterate_clips
from gazepose.readers.ego4d.survey import WORDINGS, PartSurvey
from gazepose.readers.split_lists import check_disjoint, list_faults, read_split_list, rebuilt_list
from gazepose.readers.tracks import TrackRule

_UNUSABLE_VIDEOS = ("no_video", "unreadable_video")


@dataclass
class _Annotated:
    """What the annotations of a part hold.

    Attributes:
        clips: in their order.
        findings: what is wrong with the file.
    """

    clips: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def examine(
    files: Ego4DFiles, parts: Collection[str], rule: TrackRule, *, with_videos: bool = True
) -> list[Finding]:
    """Look at the annotated parts of a folder.

    A list may name clips of any part's annotations, as for the reader.

    Args:
        files: the folder.
        parts: of train and val.
        rule: by which tracks will be made.
        with_videos: whether faces are to be cut from videos.
    """
    findings = [Finding("note", "annotations found", str(files.annotations_dir))]
    lists: dict[str, list[str] | None] = {}
    for part in parts:
        lists[part], about_list = _part_list(files, part)
        findings += about_list
    surveys, annotated = _surveyed(files, lists, rule, with_videos=with_videos)
    findings += [finding for found in annotated.values() for finding in found.findings]
    # What half a file lacks says nothing of the data set.
    is_whole = not any(finding.severity == "error" for finding in findings)
    for part in parts:
        findings += _compared(files, part, lists, annotated, is_whole=is_whole)
        findings += _survey_findings(files, part, surveys[part], rule, is_whole=is_whole)
    try:
        check_disjoint({part: _wanted(part, lists, annotated) for part in parts})
    except ValueError as error:
        findings.append(Finding("error", str(error), str(files.split_dir)))
    return findings + (_manifest_findings(files) if with_videos else [])


def _part_list(files: Ego4DFiles, part: str) -> tuple[list[str] | None, list[Finding]]:
    """Return a part's split list, None if there is none to use, and what is wrong with it."""
    path = files.list_path(part)
    if path is None:
        return None, []
    try:
        clips = read_split_list(path)
    except ValueError as error:
        return None, [Finding("error", str(error), str(path), "get the published list")]
    faults = list_faults(read_lines(path))
    return clips, [Finding("warning", fault, str(path)) for fault in faults]


def _wanted(
    part: str, lists: Mapping[str, list[str] | None], annotated: Mapping[str, _Annotated]
) -> list[str]:
    """Return a part's clips: of its list, else of its annotations."""
    clips = lists[part]
    return rebuilt_list(annotated[part].clips) if clips is None else clips


def _surveyed(
    files: Ego4DFiles,
    lists: Mapping[str, list[str] | None],
    rule: TrackRule,
    *,
    with_videos: bool,
) -> tuple[dict[str, PartSurvey], dict[str, _Annotated]]:
    """Go through the annotations, and look at each wanted clip for the part that wants it."""
    surveys = {part: PartSurvey() for part in lists}
    annotated = {part: _Annotated() for part in lists}
    part_of = {uid: part for part, clips in lists.items() for uid in clips or ()}
    seen: set[str] = set()
    for part, found in annotated.items():
        path = files.annotation_path(part)
        try:
            require_annotations(path, part)
            for _, clip in iterate_clips(path):
                uid = clip_uid_of(clip)
                found.clips.append(uid)
                is_rebuilt = lists[part] is None and rebuilt_list([uid])
                wanting = part_of.get(uid, part if is_rebuilt else None)
                if wanting is not None and uid not in seen:
                    surveys[wanting].look_at(clip, files if with_videos else None, rule)
                seen.add(uid)
        except ValueError as error:
            found.findings.append(Finding("error", str(error), str(path)))
        else:
            found.findings += _doubled(found.clips, path)
    return surveys, annotated


def _doubled(clips: list[str], path: Path) -> list[Finding]:
    twice = sorted(uid for uid, count in Counter(clips).items() if count > 1)
    what = f"clips that the annotations have twice; the first counts: {listed(twice)}"
    return [Finding("warning", what, str(path))] if twice else []


def _compared(
    files: Ego4DFiles,
    part: str,
    lists: Mapping[str, list[str] | None],
    annotated: Mapping[str, _Annotated],
    *,
    is_whole: bool,
) -> list[Finding]:
    """Compare a part's list with the annotations."""
    own, clips = annotated[part].clips, lists[part]
    if clips is None:
        what = (
            f"no usable {part}.list: its clips are those of the annotations, less "
            f"{len(own) - len(rebuilt_list(own))} that the published list leaves out"
        )
        return [Finding("note", what, str(files.annotation_path(part)))]
    known = {uid for found in annotated.values() for uid in found.clips}
    listed_anywhere = {uid for others in lists.values() for uid in others or ()}
    unknown = [clip for clip in clips if clip not in known]
    unlisted = [clip for clip in own if clip not in listed_anywhere]
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
    for kind, wording in WORDINGS.items():
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
    for path, folder in files.manifests().items():
        try:
            names = read_manifest(path)
        except ValueError as error:
            findings.append(Finding("note", str(error), str(path)))
            continue
        missing = sorted(name for name in names if not (folder / name).is_file())
        if missing:
            what = f"{len(missing)} of {len(names)} files of the manifest are not there"
            findings.append(Finding("note", f"{what}: {listed(missing)}", str(path)))
    return findings
