"""What is wrong with a submission, if anything: schema, ids, counts, repetitions, scores."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files.foreign_files import read_json, shown
from common.files.form import REAL, WHOLE
from common.listing import listed

VERSION, CHALLENGE = "1.0", "ego4d_looking_at_me"
_IDS = ("video_id", "track_id", "unique_id")
_ENTRY_KEYS = ("video_id", "unique_id", "track_id", "label", "score")
_NUM_EXAMPLES = 3
# What the values of an entry must be, and what others are called.
_KINDS: list[tuple[Sequence[str], Callable[[Any], bool], str]] = [
    (_IDS, lambda value: isinstance(value, str), "ids that are no text"),
    (["label"], lambda value: WHOLE.accepts(value) and value == 1, "labels other than 1"),
    (
        ["score"],
        lambda value: REAL.accepts(value) and 0 <= value <= 1,
        "scores that are no number in [0, 1]",
    ),
]

SampleId = tuple[str, str, str]
"""video_id, track_id, unique_id."""


@dataclass(frozen=True)
class SubmissionReport:
    """What a check found.

    Attributes:
        path: the file.
        num_entries: scores in it.
        num_expected: samples of the test set; None if they were not given.
        problems: in words; empty if the file can be submitted.
    """

    path: Path
    num_entries: int
    num_expected: int | None
    problems: tuple[str, ...]

    @property
    def text(self) -> str:
        """The report for people."""
        if self.problems:
            head = f"{self.path}: not to be submitted, {len(self.problems)} problems\n"
            return head + "".join(f"  - {problem}\n" for problem in self.problems)
        compared = (
            "form and scores only; which samples are expected was not given"
            if self.num_expected is None
            else f"one for each of {self.num_expected} expected samples"
        )
        return f"{self.path}: fit for submission, {self.num_entries} scores ({compared})\n"


def validate_submission(
    json_path: str | Path, expected: Iterable[SampleId] | None
) -> SubmissionReport:
    """Check a submission: schema, ids, counts, repetitions, and scores.

    Args:
        json_path: the file.
        expected: ids of all samples of the test set; None to check the form only.

    Raises:
        ValueError: If there is no such file.
    """
    path = Path(json_path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    wanted = None if expected is None else set(expected)
    num_expected = None if wanted is None else len(wanted)
    try:
        content = read_json(path)
    except ValueError as error:
        return SubmissionReport(path, 0, num_expected, (str(error),))
    problems, entries = _frame_problems(content)
    problems += _entry_problems(entries) + _id_problems(entries, wanted)
    return SubmissionReport(path, len(entries), num_expected, tuple(problems))


def _frame_problems(content: Any) -> tuple[list[str], list[Any]]:
    """Return what is wrong around the entries, and the entries."""
    if not isinstance(content, dict):
        return [f"the file holds a {type(content).__name__}, expected an object"], []
    problems = [
        f"{name} is {shown(content.get(name))}, expected {shown(value)}"
        for name, value in (("version", VERSION), ("challenge", CHALLENGE))
        if content.get(name) != value
    ]
    surplus = sorted(set(content) - {"version", "challenge", "results"})
    problems += [f"unknown entries beside results: {listed(surplus)}"] if surplus else []
    entries = content.get("results")
    if not isinstance(entries, list):
        return [*problems, f"results is a {type(entries).__name__}, expected a list"], []
    return problems + ([] if entries else ["results is empty"]), entries


def _entry_problems(entries: list[Any]) -> list[str]:
    bad = [
        f"results[{place}]"
        for place, entry in enumerate(entries)
        if not isinstance(entry, dict) or set(entry) != {*_ENTRY_KEYS}
    ]
    problems = _told(bad, f"entries without exactly {', '.join(_ENTRY_KEYS)}")
    for keys, accepts, what in _KINDS:
        bad = [
            f"results[{place}] {key} = {shown(entry[key])}"
            for place, entry in enumerate(entries)
            if isinstance(entry, dict)
            for key in keys
            if key in entry and not accepts(entry[key])
        ]
        problems += _told(bad, what)
    return problems


def _id_problems(entries: list[Any], expected: set[SampleId] | None) -> list[str]:
    given = Counter(_sample_id(entry) for entry in entries if isinstance(entry, dict))
    repeated = sorted(sample for sample, count in given.items() if count > 1)
    problems = _told(map("/".join, repeated), "samples with more than one score")
    if expected is None:
        return problems
    missing, surplus = sorted(expected - set(given)), sorted(set(given) - expected)
    return [
        *problems,
        *_told(map("/".join, missing), f"of {len(expected)} expected samples without a score"),
        *_told(map("/".join, surplus), "scores of samples that are not expected"),
    ]


def _sample_id(entry: dict[str, Any]) -> SampleId:
    ids = (entry.get(key) for key in _IDS)
    video_id, track_id, unique_id = (one if isinstance(one, str) else shown(one) for one in ids)
    return video_id, track_id, unique_id


def _told(bad: Iterable[str], what: str) -> list[str]:
    found = list(bad)
    if not found:
        return []
    examples = "; ".join(found[:_NUM_EXAMPLES]) + ("; ..." if len(found) > _NUM_EXAMPLES else "")
    return [f"{len(found)} {what}: {examples}"]
