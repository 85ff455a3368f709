"""Inputs given to readers in a child process, and what came of each."""

import json
import os
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fuzz.target import Target

_TESTS_DIR = Path(__file__).parents[1]
_START_SECONDS = 300.0
_CONTENT, _ERRORS = "content", "errors"
_FAILURES = ("raw", "unnamed", "hang", "killed")


@dataclass(frozen=True)
class Outcome:
    """What came of an input.

    Attributes:
        kind: ``value``, ``refused`` (a ValueError that names the file); or a failure: ``raw``
            (another exception), ``unnamed`` (a ValueError without the file's name), ``hang``,
            ``killed``.
        what: type, place and message of the exception.
    """

    kind: str
    what: str

    @property
    def is_failure(self) -> bool:
        """Whether no reader may end so."""
        return self.kind in _FAILURES

    @property
    def signature(self) -> str:
        """Return what failures of one cause have in common."""
        return f"{self.kind} {self.what.partition(': ')[0]}"


class Trial:
    """A child process, started anew when an input has ended it.

    Args:
        targets: where the list of targets is, as ``module:attribute``.
    """

    def __init__(self, targets: str = "fuzz.targets:TARGETS") -> None:
        self._targets = targets
        self._child: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._started: set[str] = set()

    def __enter__(self) -> "Trial":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def give(self, target: Target, file: str, content: bytes) -> Outcome:
        """Give a target a content of one of its files.

        Args:
            target: of the list.
            file: path of the file in the sound folder.
            content: of the file.
        """
        child, folder = self._running()
        assert child.stdin is not None
        assert child.stdout is not None
        (folder / _CONTENT).write_bytes(content)
        asked = {"target": target.name, "file": file, "content": str(folder / _CONTENT)}
        child.stdin.write(json.dumps(asked) + "\n")
        child.stdin.flush()
        # The first input of a target waits for its sound folder.
        is_first = target.name not in self._started
        seconds = _START_SECONDS if is_first else target.max_seconds
        self._started.add(target.name)
        if not select.select([child.stdout], [], [], seconds)[0]:
            self._end()
            return Outcome("hang", f"no answer in {seconds:g} s")
        answer = child.stdout.readline()
        if not answer:
            status = child.wait()
            last_words = (folder / _ERRORS).read_bytes()[-400:].decode(errors="replace")
            self._end()
            assert not is_first or status < 0, f"{target.name}, sound files: {last_words}"
            return Outcome("killed", f"status {status}: {last_words}")
        return Outcome(**json.loads(answer))

    def _running(self) -> tuple[subprocess.Popen[str], Path]:
        if self._child is None or self._folder is None:
            self._folder = tempfile.TemporaryDirectory()
            self._child = self._started_child(Path(self._folder.name))
            self._started = set()
        return self._child, Path(self._folder.name)

    def _started_child(self, folder: Path) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(_TESTS_DIR), *filter(None, sys.path)])
        with (folder / _ERRORS).open("wb") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "fuzz.child", self._targets, str(folder)],
                cwd=_TESTS_DIR,
                env={**os.environ, "PYTHONPATH": path, "POLARS_MAX_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def _end(self) -> None:
        if self._child is not None and self._folder is not None:
            self._child.kill()
            self._child.communicate()
            self._folder.cleanup()
        self._child = self._folder = None
