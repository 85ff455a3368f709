"""Many mutated inputs for every reader, the same for the same seed; the smallest failing ones."""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from fuzz.mutation import mutated
from fuzz.target import Target
from fuzz.trial import Outcome, Trial

KEPT_DIR = Path(__file__).parent / "kept"
_MAX_SHRINKING = 300


@dataclass(frozen=True)
class Failure:
    """A failing input.

    Attributes:
        file: path of the mutated file in the sound folder.
        content: of it.
        outcome: what came of it.
    """

    file: str
    content: bytes
    outcome: Outcome


@dataclass
class Found:
    """What came of a target's inputs.

    Attributes:
        counts: inputs by kind of outcome.
        failures: the smallest one of each signature.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Failure] = field(default_factory=dict)

    def add(self, file: str, content: bytes, outcome: Outcome) -> None:
        """Count an input; keep it if it is the smallest of its kind that failed."""
        self.counts[outcome.kind] += 1
        known = self.failures.get(outcome.signature)
        if outcome.is_failure and (known is None or len(content) < len(known.content)):
            self.failures[outcome.signature] = Failure(file, content, outcome)

    def join(self, other: "Found") -> None:
        """Add what another share of the inputs found."""
        self.counts += other.counts
        for signature, failure in other.failures.items():
            known = self.failures.get(signature)
            if known is None or len(failure.content) < len(known.content):
                self.failures[signature] = failure


def sound_files(target: Target) -> list[tuple[str, bytes]]:
    """Return what a target's inputs are mutations of, as files and contents."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        return [
            (str(path.relative_to(root)), path.read_bytes()) for path in target.make_seeds(root)
        ]


def inputs(
    target: Target, sound: Sequence[tuple[str, bytes]], seed: int, numbers: range
) -> Iterator[tuple[str, bytes]]:
    """Yield some of a target's inputs, as file and content, by seed and number alone."""
    for number in numbers:
        random = Random(f"{seed} {target.name} {number}")
        file, content = random.choice(sound)
        yield file, mutated(content, random)


def try_target(target: Target, seed: int, num_inputs: int, trials: Sequence[Trial]) -> Found:
    """Give a target its inputs, a share to each process, and make what fails small.

    Args:
        target: the reader.
        seed: of all inputs.
        num_inputs: how many.
        trials: the processes.
    """

    sound = sound_files(target)

    def share(job: int) -> Found:
        found, trial = Found(), trials[job]
        for file, content in inputs(target, sound, seed, range(job, num_inputs, len(trials))):
            found.add(file, content, trial.give(target, file, content))
        found.failures = {
            signature: shrunk(failure, partial(trial.give, target, failure.file))
            for signature, failure in found.failures.items()
        }
        return found

    whole = Found()
    with ThreadPoolExecutor(len(trials)) as pool:
        for found in pool.map(share, range(len(trials))):
            whole.join(found)
    return whole


def shrunk(failure: Failure, give: Callable[[bytes], Outcome]) -> Failure:
    """Return a smaller input that fails in the same way, after some hundred tries."""
    tries = 0
    size = max(len(failure.content) // 2, 1)
    while size and failure.outcome.kind != "hang":
        start = 0
        while start < len(failure.content):
            if tries == _MAX_SHRINKING:
                return failure
            tries += 1
            smaller = failure.content[:start] + failure.content[start + size :]
            outcome = give(smaller)
            if outcome.signature == failure.outcome.signature:
                failure = Failure(failure.file, smaller, outcome)
            else:
                start += size
        size //= 2
    return failure


def keep(target: Target, failure: Failure) -> Path:
    """Write a failing input where the tests look; whole or not at all, twice the same once."""
    name = hashlib.sha256(failure.content).hexdigest()[:8]
    path = KEPT_DIR / target.name / failure.file / name
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{name}.{os.getpid()}")
    partial.write_bytes(failure.content)
    partial.replace(path)
    return path
