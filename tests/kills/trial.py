"""One command: undisturbed, or killed once and typed again."""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kills.commands import Command, traces

INTERCEPTION = Path(__file__).parent / "interception"


@dataclass(frozen=True)
class Kill:
    """When: at the `write`-th write and `delay_s` after it began, or `time_s` after the start."""

    write: int = 0
    delay_s: float = 0.0
    time_s: float | None = None

    def __str__(self) -> str:
        if self.time_s is not None:
            return f"after {self.time_s:.2f} s"
        return f"write {self.write} + {1000 * self.delay_s:.0f} ms"


@dataclass(frozen=True)
class Place:
    """Where a command runs, and its temporary folder, which may lie on another file system."""

    folder: Path
    temporary_dir: Path

    def begin(self, prepared: Path) -> None:
        """Make both anew, as `prepared` is."""
        for folder in (self.folder, self.temporary_dir):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(prepared, self.folder, symlinks=True)
        self.temporary_dir.mkdir(parents=True)

    def left_behind(self) -> list[str]:
        """Return what lies in the temporary folder."""
        return sorted(path.name for path in self.temporary_dir.iterdir())


@dataclass(frozen=True)
class Outcome:
    """Of a command that came to its end.

    Attributes:
        status: its exit status; -9 for one that was killed.
        said: its output.
        num_writes: that it began.
        traces: `commands.traces` of its folder.
    """

    status: int
    said: str
    num_writes: int
    traces: dict[str, str]


def run(command: Command, place: Place, kill: Kill | None = None) -> Outcome:
    """Type a command; with a kill in mind it may end before it."""
    kill = kill or Kill()
    with tempfile.NamedTemporaryFile() as count, tempfile.TemporaryFile() as output:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(INTERCEPTION), os.environ.get("PYTHONPATH", "")]),
            "KILLS_FOLDER": str(place.folder),
            "KILLS_AT": str(kill.write),
            "KILLS_DELAY_S": str(kill.delay_s),
            "KILLS_COUNT": count.name,
            "TMPDIR": str(place.temporary_dir),
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(
            command.argv(), cwd=place.folder, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            status = process.wait(kill.time_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        output.seek(0)
        said = output.read().decode(errors="replace")
        return Outcome(status, said, os.path.getsize(count.name), traces(place.folder))


def differences(found: Outcome, expected: Outcome, volatile: set[str]) -> list[str]:
    """Return in what a command that was killed and typed again ended otherwise.

    Args:
        found: of its second start.
        expected: of an undisturbed one.
        volatile: files that differ between two undisturbed ones: compared by name alone.
    """
    if found.status != expected.status:
        return [f"exit status {found.status}: {found.said[-300:]}"]
    names = found.traces.keys() | expected.traces.keys()
    return sorted(
        f"{name}: {_kind(name, found, expected)}"
        for name in names
        if found.traces.get(name) != expected.traces.get(name)
        and not (name in volatile and name in found.traces.keys() & expected.traces.keys())
    )


def _kind(name: str, found: Outcome, expected: Outcome) -> str:
    if name not in found.traces:
        return "missing"
    return "other content" if name in expected.traces else "left behind"
