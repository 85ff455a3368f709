"""When pictures are made, and what of the data they show."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from common.evaluation.pictures import Pictures, rendered, spread
from common.loggers.dashboard import markdown
from common.loggers.wandb import WandbRunLogger, run_name


@pytest.mark.parametrize(
    ("num_rows", "num"), [(100, 16), (16, 16), (5, 16), (1, 3), (0, 4), (9, 0)]
)
def test_spread_takes_as_many_as_there_are_and_both_ends(num_rows: int, num: int) -> None:
    places = spread(num_rows, num)
    assert len(places) == min(num, num_rows)
    assert len(set(places.tolist())) == len(places)
    if len(places) > 1:
        assert (places[0], places[-1]) == (0, num_rows - 1)
        steps = np.diff(places)
        assert steps.max() - steps.min() <= 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"every_n_epochs": -1}, r"callbacks\.pictures\.every_n_epochs is -1"),
        ({"num_samples": 65}, r"num_samples is 65.*64"),
        ({"num_worst": -2}, r"num_worst is -2.*64"),
    ],
)
def test_impossible_numbers_are_refused(changed: dict[str, int], said: str) -> None:
    numbers: dict[str, Any] = {"every_n_epochs": 1, "num_samples": 16, "num_worst": 16}
    with pytest.raises(ValueError, match=said):
        Pictures(None, "x", **(numbers | changed))


def test_a_figure_is_rendered_as_it_is_saved() -> None:
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.set_facecolor((1.0, 0.0, 0.0))
    pixels = rendered(figure)
    assert pixels.shape == (50, 100, 3)
    assert (pixels == (255, 0, 0)).all()


def test_a_table_in_markdown() -> None:
    table = pl.DataFrame({"id": ["a|b", "c"], "error_deg": [1.23456, 2.0], "frame": [7, 8]})
    assert markdown(table).splitlines() == [
        "| id | error_deg | frame |",
        "| --- | --- | --- |",
        "| a\\|b | 1.235 | 7 |",
        "| c | 2.000 | 8 |",
    ]


def test_a_run_is_called_as_its_folder(tmp_path: Any) -> None:
    assert run_name(tmp_path / "table3" / "spatial_off_seed0") == "spatial_off_seed0"
    assert run_name(tmp_path / "sweep_x" / "3") == "sweep_x_3"


def test_offline_and_another_mode_are_refused() -> None:
    with pytest.raises(ValueError, match=r"offline=true.*logger\.wandb\.mode=disabled"):
        WandbRunLogger(save_dir="x", project="p", offline=True, mode="disabled")
