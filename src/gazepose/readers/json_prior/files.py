"""The originals' prior files: five points, head angles, sharpness ranks and the train filter.

==============================  ==============================================================
file (folder ``json_prior``)    content
==============================  ==============================================================
``<part>_mesh.json``            {clip: {track: {key: [[x, y, z, score] x 5]}}}
``<part>_headpose.json``        {"clip:track:frame": [yaw, pitch, roll, label, 0, 0]} in degrees;
                                test: {"clip:track:unique id:frame": [yaw, pitch, roll]}; val is
                                ``val_headpose-all.json``
``<part>_p.json``               {clip: {track: {key: Gaussian CDF of the sharpness}}}
``train_filter_all.json``       {"clip:track:frame": {"max_index", "array"}}
==============================  ==============================================================

``key`` is the frame, in test the unique id. Every file may be missing and may lack frames: the
original crashes on some of that, here it is unknown. A file is gone through once, for the places
of its clips; the process that prepares a clip then parses that clip's share alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from common.files.foreign_files import parse_json
from common.preprocessing.findings import Finding
from gazepose.readers.json_members import object_members, read_span
from gazepose.readers.json_prior.clip_priors import SEPARATORS, ClipPriors

PRIOR_DIR = "json_prior"
KINDS = ("landmarks", "head_pose")
_FIELD_OF = {"landmarks": "mesh", "head_pose": "angles"}
_NUM_UUID_PARTS = 5
_Spans = dict[str, list[tuple[int, int]]]


@dataclass(frozen=True)
class PriorFiles:
    """The prior files of a part: train, val or test."""

    prior_dir: Path
    part: str

    def are_there(self) -> bool:
        """Return whether there is any."""
        return bool(self._files)

    def open(self) -> None:
        """Note the places of all clips.

        Raises:
            ValueError: If a file is cut short or damaged.
        """
        for file in self._files.values():
            file.spans  # noqa: B018 - cached for the processes that this object is sent to

    def sizes_bytes(self, wanted: Collection[str] = ()) -> dict[str, int]:
        """Return the sizes of the files that are there and used, by their names.

        Ranks and filter are always used; ``landmarks`` and ``head_pose`` if they are wanted.
        """
        unused = {field for kind, field in _FIELD_OF.items() if kind not in wanted}
        files = [file for field, file in self._files.items() if field not in unused]
        return {file.path.name: file.path.stat().st_size for file in files}

    def of_clip(self, clip_uid: str) -> ClipPriors:
        """Return what the files say of a clip.

        Raises:
            ValueError: If a file is cut short or damaged.
        """
        found = {kind: file.read(clip_uid) for kind, file in self._files.items()}
        return ClipPriors(clip_uid, self.part, **found)

    def kinds(self) -> tuple[str, ...]:
        """Return what there are files of, of ``landmarks`` and ``head_pose``."""
        return tuple(kind for kind in KINDS if _FIELD_OF[kind] in self._files)

    def missing(self, wanted: Collection[str]) -> list[Finding]:
        """Return errors: which wanted kinds, ``landmarks`` or ``head_pose``, have no file."""
        return [
            Finding(
                "error",
                f"{self.part}: no {self._names[_FIELD_OF[kind]][0]}, which {kind}=prior needs",
                str(self.prior_dir),
                f"copy it there, measure with data.preprocessor.preparation.{kind}=mesh (or "
                "prior_or_mesh: only where there is no file), or leave the part out with "
                "data.reader.parts=[...]",
            )
            for kind in wanted
            if kind not in self.kinds()
        ]

    def has_ranks(self) -> bool:
        """Return whether there is a file of sharpness ranks."""
        return "rank" in self._files

    def findings(self, clips: Sequence[str]) -> list[Finding]:
        """Say which files are there, and which clips they lack."""
        where = str(self.prior_dir)
        if not self.are_there():
            return [Finding("note", f"{self.part}: no prior files", where)]
        findings = [
            self._files[kind].finding(clips)
            if kind in self._files
            else Finding("note", f"no {names[0]}", where)
            for kind, names in self._names.items()
        ]
        if any(finding.severity == "error" for finding in findings):
            return findings
        return [*findings, *self._doubts(clips)]

    def _doubts(self, clips: Sequence[str]) -> Iterator[Finding]:
        """Doubt values of another unit, which all clips have: the first known one tells."""
        files = [self._files[kind] for kind in ("mesh", "rank") if kind in self._files]
        known = (clip for clip in clips if all(clip in file.spans for file in files))
        where = str(self.prior_dir)
        for clip in islice(known, 1):
            try:
                doubts = self.of_clip(clip).doubts()
            except ValueError as error:
                yield Finding("warning", f"{clip}: {error}", where, "the clip fails")
                continue
            for doubt in doubts:
                yield Finding("warning", f"{doubt.sample_id}: {doubt.reason}", where)

    @property
    def _names(self) -> dict[str, list[str]]:
        """Return what the files may be called, by the fields of `ClipPriors`."""
        names = {
            "mesh": [f"{self.part}_mesh.json"],
            "rank": [f"{self.part}_p.json"],
            "angles": [f"{self.part}_headpose.json", f"{self.part}_headpose-all.json"],
        }
        if self.part == "val":
            names["angles"].reverse()
        # The original filters training keyframes only.
        return names | ({"filters": ["train_filter_all.json"]} if self.part == "train" else {})

    @cached_property
    def _files(self) -> dict[str, "_PriorFile"]:
        """Return those that are there; of several names the first counts."""
        return {
            kind: _PriorFile(path, is_flat=kind in ("angles", "filters"))
            for kind, names in self._names.items()
            for path in reversed([self.prior_dir / name for name in names])
            if path.is_file()
        }


@dataclass(frozen=True)
class _PriorFile:
    """A prior file; `is_flat`: its keys name clip, track and frame together."""

    path: Path
    is_flat: bool

    @cached_property
    def spans(self) -> _Spans:
        """Where each clip's share lies; neighbours in the file are one."""
        spans: _Spans = {}
        last: str | None = None
        for member in object_members(self.path):
            clip = _clip_of(member.key) if self.is_flat else member.key
            places = spans.setdefault(clip, [])
            if self.is_flat and clip == last:
                places[-1] = (places[-1][0], member.end)
            else:
                places.append((member.start if self.is_flat else member.value_start, member.end))
            last = clip
        return spans

    def read(self, clip_uid: str) -> dict[str, Any]:
        """Parse a clip's share; ValueError if it is damaged."""
        values: dict[str, Any] = {}
        for start, end in self.spans.get(clip_uid, []):
            content = read_span(self.path, start, end)
            where = f"{self.path}, bytes {start} to {end}"
            found = parse_json(b"{%s}" % content if self.is_flat else content, where)
            if isinstance(found, dict):
                values.update(found)
        return values

    def finding(self, clips: Sequence[str]) -> Finding:
        try:
            missing = [clip for clip in clips if clip not in self.spans]
        except ValueError as error:
            remedy = "copy it again, or move it away to go without"
            return Finding("error", str(error), str(self.path), remedy)
        what = f"{self.path.name} knows {len(clips) - len(missing)} of {len(clips)} clips"
        return Finding("warning" if missing else "note", what, str(self.path))


def mixed_ranks(files: Mapping[str, PriorFiles]) -> list[Finding]:
    """Say if some parts' sharpness ranks come from files and others' from their images."""
    brought = [part for part, priors in files.items() if priors.has_ranks()]
    others = [part for part in files if part not in brought]
    if not brought or not others:
        return []
    names = ", ".join(f"{part}_p.json" for part in others)
    what = f"no {names}: sharpness is ranked by the images there, by files in {', '.join(brought)}"
    return [Finding("warning", what, str(files[others[0]].prior_dir))]


def _clip_of(key: str) -> str:
    if SEPARATORS[0] in key:
        return key.partition(SEPARATORS[0])[0]
    return "-".join(key.split("-")[:_NUM_UUID_PARTS])
