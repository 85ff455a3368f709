"""What is missing or inconsistent in an Ego4D folder, said before anything runs.

Annotations are parsed, headers of videos read; of each video one frame is decoded.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from common.files.foreign_files import read_lines
from common.listing import counted, counted_names, listed
from common.preprocessing.findings import Finding
from gazepose.readers.ego4d.annotation import clip_uid_of
from gazepose.readers.ego4d.files import Ego4DFiles, download_command, read_manifest
from gazepose.readers.ego4d.spans import iterate_clips
from gazepose.readers.ego4d.survey import WORDINGS, PartSurvey
from gazepose.readers.split_lists import check_disjoint, list_faults, read_split_list, rebuilt_list
from gazepose.readers.tracks import TrackRule

_UNUSABLE_VIDEOS = ("no_video", "unreadable_video")


def examine(
    files: Ego4DFiles, parts: Collection[str], rule: TrackRule, *, with_videos: bool = True
) -> list[Finding]:
    """Look at the annotated parts of a folder, and at its videos if faces are to be cut from them.

    A list may name clips of any part's annotations, as for the reader.
    """
    seen = {part: _Part(part, files) for part in parts}
    findings = [Finding("note", "annotations found", str(files.annotations_dir))]
    for part in seen.values():
        findings += part.read_list()
    for part in seen.values():
        findings += _survey(part, seen, rule, files if with_videos else None)
    # What half a file lacks says nothing of the data set.
    is_whole = not any(finding.severity == "error" for finding in findings)
    for part in seen.values():
        findings += _compared(part, seen, is_whole=is_whole)
        findings += _summed_up(part, is_whole=is_whole)
        findings += _cases(part, rule)
    try:
        check_disjoint({name: part.wanted for name, part in seen.items()})
    except ValueError as error:
        findings.append(Finding("error", str(error), str(files.split_dir)))
    return [*findings, *(_manifest_findings(files) if with_videos else ())]


@dataclass
class _Part:
    """What was seen of a part.

    Attributes:
        name: train or val.
        files: the folder.
        listed: the clips of its split list; None if there is none to use.
        annotated: those of its annotations, in their order.
        survey: of the clips that it wants.
    """

    name: str
    files: Ego4DFiles
    listed: list[str] | None = None
    annotated: list[str] = field(default_factory=list)
    survey: PartSurvey = field(default_factory=PartSurvey)

    @property
    def where(self) -> str:
        return str(self.files.annotation_path(self.name))

    @property
    def wanted(self) -> list[str]:
        """Its clips: of its list, else of its annotations."""
        return rebuilt_list(self.annotated) if self.listed is None else self.listed

    def read_list(self) -> Iterator[Finding]:
        """Read the list, and say what is wrong with it."""
        path = self.files.list_path(self.name)
        if path is None:
            return
        try:
            self.listed = read_split_list(path)
        except ValueError as error:
            yield Finding("error", str(error), str(path), "get the published list")
            return
        for fault in list_faults(read_lines(path)):
            yield Finding("warning", fault, str(path))


def _survey(
    part: _Part, parts: dict[str, _Part], rule: TrackRule, files: Ego4DFiles | None
) -> Iterator[Finding]:
    """Go through a part's annotations, and look at each clip for the part that wants it."""
    wanting = {uid: other for other in parts.values() for uid in other.listed or ()}
    seen = {uid for other in parts.values() for uid in other.annotated}
    try:
        for _, clip in iterate_clips(part.files.annotation_path(part.name)):
            uid = clip_uid_of(clip)
            part.annotated.append(uid)
            of_itself = part if part.listed is None and rebuilt_list([uid]) else None
            wants = wanting.get(uid, of_itself)
            if wants is not None and uid not in seen:
                wants.survey.look_at(clip, files, rule)
            seen.add(uid)
    except ValueError as error:
        yield Finding("error", str(error), part.where)
        return
    twice = sorted(uid for uid, count in Counter(part.annotated).items() if count > 1)
    if twice:
        what = f"clips that the annotations have twice; the first counts: {listed(twice)}"
        yield Finding("warning", what, part.where)


def _compared(part: _Part, parts: dict[str, _Part], *, is_whole: bool) -> Iterator[Finding]:
    """Compare a part's list with the annotations."""
    if part.listed is None:
        num_less = len(part.annotated) - len(part.wanted)
        what = (
            f"no usable {part.name}.list: its clips are those of the annotations, less {num_less} "
            "that the published list leaves out"
        )
        yield Finding("note", what, part.where)
        return
    known = {uid for other in parts.values() for uid in other.annotated}
    listed_anywhere = {uid for other in parts.values() for uid in other.listed or ()}
    unknown = [clip for clip in part.listed if clip not in known]
    unlisted = [clip for clip in part.annotated if clip not in listed_anywhere]
    place = str(part.files.list_path(part.name))
    if unknown and is_whole:
        what = counted_names(unknown, "clips of the list without annotations")
        yield Finding("warning", what, place, "they fail; take them out of the list")
    if unlisted:
        what = counted_names(unlisted, "clips with annotations, not in the list")
        yield Finding("note", what, place)


def _summed_up(part: _Part, *, is_whole: bool) -> Iterator[Finding]:
    survey = part.survey
    share = survey.num_positive / max(survey.num_frames, 1)
    what = (
        f"{counted(survey.num_clips, 'clips')}, {counted(survey.num_tracks, 'tracks')}, "
        f"{counted(survey.num_frames, 'frames')}, {share:.1%} of them look at the camera"
    )
    yield Finding("note", f"{part.name}: {what}", part.where)
    if is_whole and not survey.num_positive:
        what = f"{part.name}: nobody looks at the camera in any frame"
        remedy = "it can be neither trained on nor scored: are the annotations complete?"
        yield Finding("error", what, part.where, remedy)
    if survey.num_dropped:
        counts = ", ".join(f"{n} of {reason}" for reason, n in sorted(survey.num_dropped.items()))
        yield Finding("note", f"{part.name}: boxes left out: {counts}", part.where)


def _cases(part: _Part, rule: TrackRule) -> Iterator[Finding]:
    """Word what was seen in single clips and tracks; a video missing for all is an error."""
    advice = {
        "download": download_command(part.files.raw_dir, "clips"),
        "split": "" if rule.name == "repaired" else "data.reader.track_rule=repaired splits them",
    }
    for kind, wording in WORDINGS.items():
        cases = part.survey.cases.get(kind)
        if cases:
            is_all = kind in _UNUSABLE_VIDEOS and len(cases) == part.survey.num_clips
            what = f"{part.name}: {counted_names(cases, wording.what)}"
            what = f"{what} (all of the part)" if is_all else what
            severity = "error" if is_all else wording.severity
            yield Finding(severity, what, part.where, wording.remedy.format(**advice))


def _manifest_findings(files: Ego4DFiles) -> Iterator[Finding]:
    """Compare the downloader's own lists with what is there."""
    for path, folder in files.manifests().items():
        try:
            names = read_manifest(path)
        except ValueError as error:
            yield Finding("note", str(error), str(path))
            continue
        missing = sorted(name for name in names if not (folder / name).is_file())
        if missing:
            what = f"{len(missing)} of {len(names)} files of the manifest are not there"
            yield Finding("note", f"{what}: {listed(missing)}", str(path))
