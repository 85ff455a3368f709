"""What preprocess.py refuses before anything is built."""

from typing import Any

import pytest

from common.preprocessing.command import prepare_store

CONFIG: dict[str, Any] = {
    "mode": "run",
    "shard": "0/1",
    "num_workers": 0,
    "export_dir": None,
    "export_heatmaps": True,
    "export_file": None,
    "data": {"name": "x", "raw_dir": "raw", "raw_writer": None, "preprocessor": {}},
}


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mode is 'rebuild'.*'repair'"):
        prepare_store(CONFIG | {"mode": "rebuild"})


def test_data_without_a_store_of_their_own_are_refused() -> None:
    data = CONFIG["data"] | {"name": "mixture", "preprocessor": None}
    with pytest.raises(ValueError, match=r"data=mixture makes no store"):
        prepare_store(CONFIG | {"data": data})


def test_a_negative_number_of_processes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"num_workers is -1.*num_workers=2"):
        prepare_store(CONFIG | {"num_workers": -1})


@pytest.mark.parametrize(
    ("place", "mode", "meant"),
    [("export_dir", "run", "export"), ("export_file", "export", "split.*statistics")],
)
def test_a_place_that_a_mode_does_not_write_to_is_refused(
    place: str, mode: str, meant: str
) -> None:
    with pytest.raises(ValueError, match=rf"{place}=there.*mode={meant}.*mode={mode}"):
        prepare_store(CONFIG | {"mode": mode, place: "there"})
