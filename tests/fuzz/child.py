"""A process that gives inputs to readers, so that a hang, a crash or a lack of memory is its own.

It is told a line of json an input, and answers with a line of json.
"""

import importlib
import json
import logging
import os
import resource
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

from fuzz.target import Target

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Reading:
    """Reads inputs of one list of targets; each in a fresh copy of the target's sound folder."""

    def __init__(self, targets: list[Target], folder: Path) -> None:
        self._targets = {target.name: target for target in targets}
        self._folder = folder
        self._seeds: dict[str, Path] = {}
        self._num_inputs = 0

    def answer(self, name: str, file: str, content: bytes) -> dict[str, Any]:
        """Give a target a content of one of its files; say what came of it."""
        target = self._targets[name]
        seeds = self._seeds.get(name) or self._made(target)
        self._num_inputs += 1
        folder = self._folder / f"{self._num_inputs}"
        shutil.copytree(seeds, folder)
        try:
            (folder / file).write_bytes(content)
            return _outcome(target, folder / file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self, target: Target) -> Path:
        seeds, read = self._folder / target.name, self._folder / f"{target.name} read"
        seeds.mkdir()
        files = [path.relative_to(seeds) for path in target.make_seeds(seeds)]
        # What is imported and built at first use does not count as an input's; a read may write.
        for file in files:
            shutil.copytree(seeds, read)
            target.read(read / file)
            shutil.rmtree(read)
        self._seeds[target.name] = seeds
        return seeds


def main() -> None:
    """Answer until there is no more input."""
    answers = os.fdopen(os.dup(1), "w")
    # What a reader prints is no answer.
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    module, attribute = sys.argv[1].split(":")
    targets = getattr(importlib.import_module(module), attribute)
    reading = Reading(targets, Path(sys.argv[2]))
    for line in sys.stdin:
        asked = json.loads(line)
        content = Path(asked["content"]).read_bytes()
        answer = reading.answer(asked["target"], asked["file"], content)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _outcome(target: Target, path: Path) -> dict[str, Any]:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (used + target.max_bytes, hard))
    try:
        target.read(path)
    except ValueError as error:
        kind = "refused" if path.name in str(error) else "unnamed"
        return {"kind": kind, "what": _described(error)}
    # A panic of Rust code is a BaseException, and nothing else may end this process.
    except BaseException as error:
        return {"kind": "raw", "what": _described(error)}
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return {"kind": "value", "what": ""}


def _described(error: BaseException) -> str:
    """Return type, place in the suite and message."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "/src/" in f.filename]
    return f"{type(error).__name__} at {places[-1] if places else 'nowhere'}: {str(error)[:300]}"


if __name__ == "__main__":
    main()
