"""The harness notices what no reader may do, and gives the same inputs for the same seed."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from fuzz import campaign
from fuzz.campaign import Failure, inputs, keep, shrunk, sound_files, try_target
from fuzz.mutation import MAX_BYTES, mutated
from fuzz.trial import Outcome, Trial
from fuzz.wrong_readers import SOUND, TARGETS

WHERE = "fuzz.wrong_readers:TARGETS"
BY_NAME = {target.name: target for target in TARGETS}


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial(WHERE) as trial:
        yield trial


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("refuses", "refused"),
        ("without_name", "unnamed"),
        ("raises", "raw"),
        ("swells", "raw"),
        ("hangs", "hang"),
        ("exits", "killed"),
    ],
)
def test_what_a_reader_does_is_noticed_and_costs_the_others_nothing(
    trial: Trial, name: str, kind: str
) -> None:
    assert trial.give(BY_NAME[name], "file.txt", SOUND).kind == "value"
    assert trial.give(BY_NAME[name], "file.txt", b"xx").kind == kind
    assert trial.give(BY_NAME["refuses"], "file.txt", SOUND).kind == "value"


def test_inputs_depend_on_seed_and_number_alone() -> None:
    target = BY_NAME["refuses"]
    sound = sound_files(target)
    whole = list(inputs(target, sound, 3, range(20)))
    assert list(inputs(target, sound_files(target), 3, range(7, 20, 4))) == whole[7::4]
    assert list(inputs(target, sound, 4, range(20))) != whole


@pytest.mark.parametrize(
    "sound", [b"", b"\x00\xff" * 90, b"a,1\nb,2\n", b'{"a": [1, {"b": null}]}']
)
def test_mutations_change_content_and_stay_small(sound: bytes) -> None:
    changed = [mutated(sound, Random(number)) for number in range(300)]
    assert sum(content != sound for content in changed) > 100
    assert max(map(len, changed)) <= MAX_BYTES


def test_half_of_what_becomes_of_json_is_json() -> None:
    sound = json.dumps([{"frame": number, "x": 1.5} for number in range(20)]).encode()
    num_parsed = 0
    for number in range(300):
        try:
            json.loads(mutated(sound, Random(number)))
            num_parsed += 1
        except (ValueError, RecursionError):
            pass
    assert 100 < num_parsed < 290


def test_a_failing_input_is_made_small() -> None:
    outcome = Outcome("raw", "KeyError at nowhere: 'x'")
    sound = Outcome("value", "")
    failure = Failure("file.txt", bytes(97) + b"x" + bytes(200), outcome)
    assert shrunk(failure, lambda c: outcome if b"x" in c else sound).content == b"x"


def test_a_campaign_counts_keeps_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "KEPT_DIR", tmp_path)
    with Trial(WHERE) as one, Trial(WHERE) as other:
        found = try_target(BY_NAME["raises"], 0, 60, [one, other])
    assert found.counts.total() == 60
    (failure,) = found.failures.values()
    assert failure.content == b"x"
    path = keep(BY_NAME["raises"], failure)
    assert (path.read_bytes(), path.parent) == (b"x", tmp_path / "raises" / "file.txt")
