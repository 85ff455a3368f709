"""A folder of demo data: one set of arguments, never real data, written over processes."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from common.files.atomic import remove_leftovers_below
from common.files.sealed import read_json, write_json

ARGUMENTS_FILE = "demo.json"
_REMEDY = "choose another raw_dir, or delete this one to write it anew"
T = TypeVar("T")


def claim_folder(raw_dir: Path, content: str, plan: Any, **versions: int) -> None:
    """Record what a folder is written with, or make sure that it is what was recorded.

    `content` is the name of what the writer puts into it, `plan` a dataclass of all that decides
    that, `versions` are of what draws it.

    Raises:
        ValueError: the folder holds other data, or was written with other arguments.
    """
    record = raw_dir / ARGUMENTS_FILE
    # As JSON holds them: lists for tuples.
    arguments = {**versions, **json.loads(json.dumps(asdict(plan)))}
    if record.exists():
        _compare(raw_dir, read_json(record, _REMEDY), arguments)
    elif (raw_dir / content).exists():
        raise ValueError(
            f"{raw_dir / content} exists but was not written by this function (there is "
            f"no {ARGUMENTS_FILE}); choose another raw_dir for the demo data"
        )
    write_json(record, arguments)
    remove_leftovers_below(raw_dir)


def write_all(
    write: Callable[..., T], arguments: Sequence[tuple[Any, ...]], num_workers: int, *, of: str
) -> list[T]:
    """Return what a writer, small enough to pickle, returns for each of several arguments.

    It works in `num_workers` processes, 0 in this one; the bar counts `of`.
    """
    with tqdm(total=len(arguments), desc="demo data", unit=of) as bar:
        if num_workers == 0:
            return [_counted(write(*given), bar) for given in arguments]
        with ProcessPoolExecutor(num_workers, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(write, *given) for given in arguments]
            for job in as_completed(jobs):
                _counted(job.result(), bar)
            return [job.result() for job in jobs]


def _counted(result: T, bar: Any) -> T:
    bar.update()
    return result


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
