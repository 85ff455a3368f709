"""What is wrong with a submission, if anything: schema, ids, counts, repetitions, scores."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files.foreign_files import read_json, shown
from common.listing import listed

VERSION, CHALLENGE = "1.0", "ego4d_looking_at_me"
_ENTRY_KEYS = ("video_id", "unique_id", "track_id", "label", "score")
_NUM_EXAMPLES = 3

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
        expected: ids of all samples of the test set, as text; None to check the form only.

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
    problems += [problem for check in _ENTRY_CHECKS for problem in check(entries)]
    problems += _id_problems(entries, wanted)
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


def _key_problems(entries: list[Any]) -> list[str]:
    expected = set(_ENTRY_KEYS)
    bad = [
        f"results[{place}]"
        for place, entry in enumerate(entries)
        if not isinstance(entry, dict) or set(entry) != expected
    ]
    return _told(bad, f"entries without exactly {', '.join(_ENTRY_KEYS)}")


def _type_problems(entries: list[Any]) -> list[str]:
    bad = [
        f"results[{place}] {key} = {shown(entry[key])}"
        for place, entry in enumerate(entries)
        if isinstance(entry, dict)
        for key in ("video_id", "unique_id", "track_id")
        if key in entry and not isinstance(entry[key], str)
    ]
    return _told(bad, "ids that are no text")


def _label_problems(entries: list[Any]) -> list[str]:
    bad = [
        f"results[{place}] label = {shown(entry['label'])}"
        for place, entry in enumerate(entries)
        if isinstance(entry, dict) and "label" in entry and not _is_one(entry["label"])
    ]
    return _told(bad, "labels other than 1")


def _score_problems(entries: list[Any]) -> list[str]:
    bad = [
        f"results[{place}] score = {shown(entry['score'])}"
        for place, entry in enumerate(entries)
        if isinstance(entry, dict) and "score" in entry and not _is_score(entry["score"])
    ]
    return _told(bad, "scores that are no number in [0, 1]")


_ENTRY_CHECKS = (_key_problems, _type_problems, _label_problems, _score_problems)


def _id_problems(entries: list[Any], expected: Collection[SampleId] | None) -> list[str]:
    given = Counter(_sample_id(entry) for entry in entries if isinstance(entry, dict))
    repeated = sorted(sample for sample, count in given.items() if count > 1)
    problems = _told(map(_named, repeated), "samples with more than one score")
    if expected is None:
        return problems
    wanted = set(expected)
    missing, surplus = sorted(wanted - set(given)), sorted(set(given) - wanted)
    return [
        *problems,
        *_told(map(_named, missing), f"of {len(wanted)} expected samples without a score"),
        *_told(map(_named, surplus), "scores of samples that are not expected"),
    ]


def _sample_id(entry: dict[str, Any]) -> SampleId:
    ids = (entry.get(key) for key in ("video_id", "track_id", "unique_id"))
    video_id, track_id, unique_id = (one if isinstance(one, str) else shown(one) for one in ids)
    return video_id, track_id, unique_id


def _named(sample: SampleId) -> str:
    return "/".join(sample)


def _is_one(value: Any) -> bool:
    return value == 1 and isinstance(value, int) and not isinstance(value, bool)


def _is_score(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= 1


def _told(bad: Iterable[str], what: str) -> list[str]:
    found = list(bad)
    if not found:
        return []
    examples = "; ".join(found[:_NUM_EXAMPLES]) + ("; ..." if len(found) > _NUM_EXAMPLES else "")
    return [f"{len(found)} {what}: {examples}"]
