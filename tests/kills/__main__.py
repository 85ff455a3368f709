"""Kill commands and type them again: python -m kills [--number 40] [--seed 0].

Every second kill is aimed at a write. Runs lie in memory and their temporary folder on disk, or the
other way about. The exit status is 1 if a kill was not survived.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from kills.commands import COMMANDS, Command, made_first, prepare
from kills.trial import Kill, Outcome, Place, differences, run

MEMORY_DIR = Path("/dev/shm")  # a tmpfs


def main() -> int:
    """Kill commands; print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="commands whose name has this")
    asked = parser.parse_args()
    commands = [command for command in COMMANDS if (asked.only or "") in command.name]
    with (
        tempfile.TemporaryDirectory() as disk,
        tempfile.TemporaryDirectory(dir=MEMORY_DIR) as memory,
    ):
        failures = kill_all(commands, asked.number, asked.seed, Path(disk), Path(memory))
    print(f"{asked.number - failures} of {asked.number} ended as if never killed")
    return int(failures > 0)


def kill_all(commands: list[Command], number: int, seed: int, disk: Path, memory: Path) -> int:
    """Return how many of `number` kills, in turns over commands and places, were not survived."""
    chance = random.Random(seed)
    prepared = _prepared(disk / "prepared", memory)
    places = [Place(disk / "at", memory / "tmp"), Place(memory / "at", disk / "tmp")]
    undisturbed: dict[str, tuple[Outcome, set[str], float]] = {}
    failures = 0
    for index in range(number):
        command = commands[index % len(commands)]
        if command.name not in undisturbed:
            undisturbed[command.name] = _undisturbed(command, places[0], prepared)
        expected, volatile, duration_s = undisturbed[command.name]
        kill = _kill(chance, index // len(commands), expected.num_writes, duration_s)
        place = places[chance.randrange(2)]
        place.begin(prepared)
        killed = run(command, place, kill)
        found = killed if killed.status == 0 else run(command, place)
        wrong = differences(found, expected, volatile)
        wrong += [f"{name} in the temporary folder" for name in place.left_behind()]
        failures += bool(wrong)
        where = "memory" if place.folder.is_relative_to(memory) else "disk"
        end = "ended before" if killed.status == 0 else "killed"
        print(f"{index:3} {command.name:24} {where:6} {kill!s:22} {end:12} ", end="")
        print("; ".join(wrong) if wrong else "equal", flush=True)
    return failures


def _prepared(folder: Path, memory: Path) -> Path:
    folder.mkdir()
    prepare(folder)
    for command in made_first():
        place = Place(folder, memory / "tmp")
        place.temporary_dir.mkdir(exist_ok=True)
        outcome = run(command, place)
        assert outcome.status == 0, outcome.said
    made = folder / "made_data"
    shutil.copy(min(made.rglob("*.mp4")), folder / "clip.mp4")
    shutil.rmtree(made)
    shutil.rmtree(folder / "data")
    return folder


def _undisturbed(command: Command, place: Place, prepared: Path) -> tuple[Outcome, set[str], float]:
    """Return the outcome, the files that two such runs write otherwise, and the seconds."""
    outcomes = []
    for _ in range(2):
        place.begin(prepared)
        start = time.monotonic()
        outcomes.append(run(command, place))
        assert outcomes[-1].status == 0, outcomes[-1].said
        assert not place.left_behind(), place.left_behind()
    one, other = outcomes
    assert one.traces.keys() == other.traces.keys()
    volatile = {name for name in one.traces if one.traces[name] != other.traces[name]}
    print(f"{command.name}: {one.num_writes} writes, differing from run to run: {sorted(volatile)}")
    return other, volatile, time.monotonic() - start


def _kill(chance: random.Random, turn: int, num_writes: int, duration_s: float) -> Kill:
    if turn % 2:
        return Kill(time_s=chance.uniform(0.2, 1) * duration_s)
    delay_s = chance.choice([0.0, chance.uniform(0, 0.02)])
    return Kill(write=chance.randint(1, num_writes), delay_s=delay_s)


if __name__ == "__main__":
    sys.exit(main())
