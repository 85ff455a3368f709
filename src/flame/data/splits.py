"""Who trains, who validates, who tests: the published splits, seeded new ones, and files.

A split names subjects or sessions, never single images. The published ones are the json files in
the folder ``splits`` beside this module.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from common.files.foreign_files import shown
from common.files.sealed import read_json
from common.part_sizes import part_sizes
from flame.readers import metadata

Part = Literal["train", "val", "test"]
Unit = Literal["subject", "session"]
PARTS: tuple[Part, ...] = get_args(Part)
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class Split:
    """Disjoint lists of subjects or sessions.

    Attributes:
        name: what tables call it.
        source: where it comes from.
        unit: what its names are: ``subject`` (`RawSample.subject`) or ``session``
            (`RawSample.group`).
        train: names of the training part, sorted.
        val: names of the validation part (``cv`` in the original), sorted.
        test: names of the test part, sorted.
    """

    name: str
    source: str
    unit: Unit
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f"split {self.name!r}: unit is {self.unit!r}, not subject or session")
        twice = sorted(name for name, times in Counter(self.names()).items() if times > 1)
        if twice:
            raise ValueError(f"split {self.name!r}: named more than once: {', '.join(twice)}")

    def names(self) -> list[str]:
        """Return all names, part by part."""
        return [*self.train, *self.val, *self.test]

    @property
    def column(self) -> str:
        """Name the column of a store's table that has such names."""
        return "subject" if self.unit == "subject" else "group_name"


def available_splits() -> list[str]:
    """Return the names of the published splits, sorted."""
    names = (path.name for path in (files("flame.data") / "splits").iterdir())
    return sorted(name.removesuffix(".json") for name in names if not name.startswith("published"))


def load_split(name_or_path: str | Path) -> Split:
    """Load a published split by its name, or any split by the path of its file.

    Args:
        name_or_path: one of `available_splits`, a json file of the fields of `Split`, or a
            pickle of FLAME's (``.pkl``), whose names are sessions (`RawSample.group`).

    Raises:
        ValueError: If there is no such split, or the file is not one.
    """
    if metadata.is_file_name(name_or_path):
        return _read_split(Path(name_or_path))
    if name_or_path not in available_splits():
        raise ValueError(
            f"unknown split {str(name_or_path)!r}; published: {', '.join(available_splits())}; "
            "or give the path of a .json file or of FLAME's .pkl"
        )
    text = (files("flame.data") / "splits" / f"{name_or_path}.json").read_text(encoding="utf-8")
    return _as_split(json.loads(text), str(name_or_path))


def cross_person(
    subjects: Iterable[str],
    *,
    seed: int,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
) -> Split:
    """Divide the people: nobody is in two parts.

    The same people and seed give the same split, in whatever order they come and however often
    each is named. Fractions are shares of train, val and test, positive, summing to 1; every part
    gets at least one person.

    Raises:
        ValueError: If there are fewer than 3 people, or the fractions are not shares.
    """
    return _draw(subjects, "subject", "cross_person", seed, fractions)


def person_fold(
    subjects: Iterable[str],
    *,
    num_folds: int | None,
    fold: int | None,
    seed: int,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
) -> Split:
    """Divide the people into folds, one of which tests; over all folds everybody tests once.

    Validation takes the first people of the next fold, so that it never shares any with the test.
    As many folds as people leave one out: then fold i tests the i-th in the order of their names.
    The seed divides the people, all folds alike; of the fractions val's counts, of all people.

    Raises:
        ValueError: If there are no such folds, or too few people to train, validate and test.
    """
    pool = sorted(set(subjects))
    if num_folds is None or not 2 <= num_folds <= len(pool):
        raise ValueError(
            f"num_folds is {num_folds}, expected 2 to {len(pool)}, the number of people: type "
            "data.datamodule.num_folds=5"
        )
    if fold is None or not 0 <= fold < num_folds:
        raise ValueError(f"fold is {fold}, expected 0 to {num_folds - 1}: data.datamodule.fold=0")
    if num_folds < len(pool):
        pool = [pool[i] for i in np.random.default_rng(seed).permutation(len(pool))]
    folds = [pool[start::num_folds] for start in range(num_folds)]
    test, later = folds[fold], [*folds[fold + 1 :], *folds[:fold]]
    others = [name for one in later for name in one]
    _, num_val, _ = part_sizes(len(pool), fractions)
    val, train = others[:num_val], others[num_val:]
    if not train:
        raise ValueError(
            f"{len(pool)} people in {num_folds} folds leave nobody to train on: type a larger "
            "data.datamodule.num_folds"
        )
    return Split(
        name=f"person_folds{num_folds}_seed{seed}",
        source=f"{num_folds} folds by person, seed {seed}; test: fold {fold}, val: {num_val}",
        unit="subject",
        train=tuple(sorted(train)),
        val=tuple(sorted(val)),
        test=tuple(sorted(test)),
    )


def random_split(
    groups: Iterable[str],
    *,
    seed: int,
    fractions: Sequence[float] = DEFAULT_FRACTIONS,
) -> Split:
    """Divide the sessions (`RawSample.group`) whoever they show, otherwise as `cross_person`.

    Raises:
        ValueError: If there are fewer than 3 sessions, or the fractions are not shares.
    """
    return _draw(groups, "session", "random", seed, fractions)


def _draw(
    names: Iterable[str],
    unit: Unit,
    kind: str,
    seed: int,
    fractions: Sequence[float],
) -> Split:
    pool = sorted(set(names))
    num_train, num_val, _ = part_sizes(len(pool), fractions)
    order = [pool[i] for i in np.random.default_rng(seed).permutation(len(pool))]
    shares = ", ".join(f"{fraction:g}" for fraction in fractions)
    return Split(
        name=f"{kind}_seed{seed}",
        # Recorded with every run: its words stay those of the runs there are.
        source=f"drawn by flame.splits: {kind}, seed {seed}, fractions {shares}",
        unit=unit,
        train=tuple(sorted(order[:num_train])),
        val=tuple(sorted(order[num_train : num_train + num_val])),
        test=tuple(sorted(order[num_train + num_val :])),
    )


def _read_split(path: Path) -> Split:
    if not path.is_file():
        raise ValueError(f"no split file {path}; published: {', '.join(available_splits())}")
    if metadata.is_pickle(path):
        parts = {part: tuple(sorted(names)) for part, names in metadata.read_split(path).items()}
        try:
            return Split(path.stem, f"{path.name}, a pickle of FLAME's form", "session", **parts)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return _as_split(read_json(path, "expected a split as mode=split writes it"), str(path))


def _as_split(fields: Any, origin: str) -> Split:
    try:
        train, val, test = (_names(fields.pop(part)) for part in PARTS)
        return Split(**fields, train=train, val=val, test=test)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{origin} is not a split: {error!r}; expected name, source, unit (subject or "
            "session) and the lists train, val, test"
        ) from error


def _names(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list):
        raise TypeError(f"a part is {shown(listed)}, no list")
    if not all(isinstance(name, str | int) for name in listed):
        raise TypeError("a name is no text")
    return tuple(map(str, listed))
