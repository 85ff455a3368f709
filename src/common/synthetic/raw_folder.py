"""A folder of demo data belongs to one set of arguments, and never to real data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.atomic import write_text_atomically

ARGUMENTS_FILE = "demo.json"


def claim_folder(raw_dir: Path, content: str, arguments: dict[str, Any]) -> None:
    """Record what a folder is written with, or make sure that it is what was recorded.

    Args:
        raw_dir: folder to write into; made if absent.
        content: name of what the writer puts into `raw_dir`.
        arguments: all that decides the content, as JSON holds it.

    Raises:
        ValueError: the folder holds other data, or was written with other arguments.
    """
    record = raw_dir / ARGUMENTS_FILE
    if record.exists():
        _compare(raw_dir, json.loads(record.read_text()), arguments)
    elif (raw_dir / content).exists():
        raise ValueError(
            f"{raw_dir / content} exists but was not written by this function (there is "
            f"no {ARGUMENTS_FILE}); choose another raw_dir for the demo data"
        )
    write_text_atomically(record, json.dumps(arguments, indent=2) + "\n")


def _compare(raw_dir: Path, recorded: dict[str, Any], asked: dict[str, Any]) -> None:
    changes = [
        f"{name} was {recorded.get(name)}, now {value}"
        for name, value in asked.items()
        if recorded.get(name) != value
    ]
    if changes:
        raise ValueError(
            f"{raw_dir} was written with other arguments: {'; '.join(changes)}. "
            "Choose another raw_dir, or delete this one to write it anew"
        )
