import re
from dataclasses import asdict

import polars as pl
import pytest

from common.files.sealed import write_json
from flame.data.partition import with_parts
from flame.data.splits import (
    Split,
    available_splits,
    cross_person,
    load_split,
    person_fold,
    random_split,
)

PEOPLE = [f"{number:04d}" for number in range(1, 57)]


def _split(**changes):
    fields = {"name": "x", "source": "test", "unit": "subject"}
    fields |= {"train": ("a",), "val": ("b",), "test": ("c",)}
    return Split(**(fields | changes))


def test_published_splits_have_the_published_sizes():
    sizes = {
        name: tuple(len(getattr(load_split(name), part)) for part in ("train", "val", "test"))
        for name in available_splits()
    }
    assert sizes == {
        "columbiagaze_cross_person": (44, 5, 5),
        "eyediap_cross_person": (32, 8, 12),
        "eyediap_random": (42, 5, 5),
        "mpiigaze_cross_person": (12, 1, 2),
    }


def test_published_columbia_split_is_the_papers():
    split = load_split("columbiagaze_cross_person")
    assert split.val == ("0007", "0020", "0034", "0050", "0053")
    assert split.test == ("0009", "0047", "0054", "0055", "0056")
    assert sorted(set(PEOPLE) - set(split.names())) == ["0018", "0037"]


def test_published_eyediap_split_divides_people_by_their_sessions():
    split = load_split("eyediap_cross_person")
    people = {
        part: {name.split("_")[0] for name in getattr(split, part)}
        for part in ("train", "val", "test")
    }
    assert people == {
        "train": {"1", "2", "5", "8", "9", "11", "14", "15"},
        "val": {"4", "7"},
        "test": {"3", "6", "10"},
    }
    assert split.column == "group_name"
    assert "4_A_CS_S" in split.val
    assert "4_A_FT_S" not in split.names()


def test_lists_are_sorted_and_say_their_source():
    for split in map(load_split, available_splits()):
        assert all(list(part) == sorted(part) for part in (split.train, split.val, split.test))
        assert "FLAME" in split.source


def test_unknown_split_lists_the_published_ones():
    with pytest.raises(ValueError, match=r"'x'.*columbiagaze_cross_person"):
        load_split("x")


@pytest.mark.parametrize("draw", [cross_person, random_split])
def test_drawn_parts_are_disjoint_complete_and_never_empty(draw):
    for num_names in range(3, 57):
        names = [f"s{i}" for i in range(num_names)]
        split = draw(names, seed=7)
        assert all([split.train, split.val, split.test])
        assert sorted(split.names()) == sorted(names)


def test_drawn_split_depends_on_seed_and_not_on_order():
    split = cross_person(PEOPLE, seed=1)
    assert cross_person([*reversed(PEOPLE), *PEOPLE], seed=1) == split
    assert cross_person(PEOPLE, seed=2).test != split.test


@pytest.mark.parametrize(
    ("num_names", "fractions", "sizes"),
    [
        (10, (0.8, 0.1, 0.1), (8, 1, 1)),
        (10, (0.7, 0.2, 0.1), (7, 2, 1)),
        (13, (0.6, 0.15, 0.25), (8, 2, 3)),
        (3, (0.98, 0.01, 0.01), (1, 1, 1)),
        (5, (0.9, 0.05, 0.05), (3, 1, 1)),
    ],
)
def test_drawn_sizes_are_the_nearest_to_the_fractions(num_names, fractions, sizes):
    split = cross_person(map(str, range(num_names)), seed=0, fractions=fractions)
    assert (len(split.train), len(split.val), len(split.test)) == sizes


@pytest.mark.parametrize("draw", [cross_person, random_split])
def test_too_few_people_and_wrong_fractions_are_refused(draw):
    with pytest.raises(ValueError, match=r" 2 .* 3"):
        draw(["a", "b"], seed=0)
    wrong = [(0.8, 0.1, 0.2), (0.9, 0.1, 0.0), (0.8, 0.2), (0.7, 0.1, 0.1, 0.1), ()]
    for fractions in wrong:
        with pytest.raises(ValueError, match=re.escape(f"{list(fractions)}")):
            draw(PEOPLE, seed=0, fractions=fractions)


def test_save_and_load_round_trip(tmp_path):
    split = random_split(["1_A_CS_S", "1_A_CS_M", "2_A_CS_S"], seed=3)
    write_json(tmp_path / "mine.json", asdict(split))
    assert load_split(tmp_path / "mine.json") == split
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]


def test_session_split_reads_the_group():
    table = pl.DataFrame({"subject": ["1", "1"], "group_name": ["b", "z"]})
    assert with_parts(table, _split(unit="session"))["part"].to_list() == ["val", None]


def test_overlap_and_a_wrong_unit_are_refused():
    with pytest.raises(ValueError, match=r"'x'.*: a$"):
        _split(test=("a",))
    with pytest.raises(ValueError, match=r"'image'.* subject or session"):
        _split(unit="image")


@pytest.mark.parametrize(
    "content",
    [
        *(b"\xff", b"[" * 100_000, b"3", b'{"train": [[]], "val": [], "test": []}'),
        b'{"train": ["a"]}',
        b'{"name": "a", "source": "b", "unit": "subject", "train": "s1", "val": [], "test": []}',
        b'{"name": "a", "source": "b", "unit": [], "train": ["1"], "val": [], "test": []}',
        b'{"name": "a", "source": "b", "unit": "subject", "train": ["1", "1"], "val": [], '
        b'"test": []}',
    ],
)
def test_every_file_that_is_no_split_is_named(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.json"):
        load_split(tmp_path / "x.json")


def test_a_split_of_many_names_is_checked_at_once():
    _split(train=tuple(map(str, range(100_000))), val=("v",), test=("t",))


def _folds(num_folds, people=PEOPLE, seed=0, fractions=(0.8, 0.1, 0.1)):
    options = {"num_folds": num_folds, "seed": seed, "fractions": fractions}
    return [person_fold(people, fold=fold, **options) for fold in range(num_folds)]


@pytest.mark.parametrize("num_folds", [2, 5, 56])
def test_over_all_folds_everybody_tests_once_and_is_always_somewhere(num_folds):
    folds = _folds(num_folds)
    assert sorted(name for fold in folds for name in fold.test) == PEOPLE
    assert all(sorted(fold.names()) == PEOPLE for fold in folds)
    assert all(len(fold.val) == 6 for fold in folds)
    sizes = {len(fold.test) for fold in folds}
    assert max(sizes) - min(sizes) <= 1


def test_folds_are_drawn_by_their_seed_and_leaving_one_out_goes_by_name():
    assert _folds(5)[0] == _folds(5, people=[*reversed(PEOPLE), PEOPLE[0]])[0]
    assert _folds(5)[0].test != _folds(5, seed=1)[0].test
    assert [fold.test for fold in _folds(56, seed=1)] == [(name,) for name in PEOPLE]


@pytest.mark.parametrize(
    ("num_folds", "fold", "facts"),
    [
        (None, 0, "num_folds .*None.* 2 to 56"),
        (1, 0, "num_folds .*1.* 2 to 56"),
        (57, 0, "num_folds .*57.* 2 to 56"),
        (5, 5, "fold .*5.* 0 to 4"),
        (5, -1, "fold .*-1.* 0 to 4"),
        (5, None, "fold .*None.* 0 to 4"),
    ],
)
def test_folds_that_cannot_be_are_refused(num_folds, fold, facts):
    with pytest.raises(ValueError, match=facts):
        person_fold(PEOPLE, num_folds=num_folds, fold=fold, seed=0)


def test_folds_that_leave_nobody_to_train_on_are_refused():
    with pytest.raises(ValueError, match=r"4 .*2 folds.*num_folds"):
        person_fold(PEOPLE[:4], num_folds=2, fold=0, seed=0, fractions=(0.25, 0.5, 0.25))
