"""The figure of a test shows its numbers: what is drawn, not how it looks."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from flame.evaluation.callback import summarise
from flame.evaluation.figures import save_error_figure


def small_results(num_subjects: int) -> pl.DataFrame:
    rng, num = np.random.default_rng(0), num_subjects * 12
    true, predicted = rng.uniform(-20, 20, (2, num)), rng.uniform(-20, 20, (2, num))
    return pl.DataFrame(
        {
            "row": np.arange(num),
            "subject": [f"{i % num_subjects:04d}" for i in range(num)],
            **dict(zip(("yaw_t", "pitch_t"), true, strict=True)),
            **dict(zip(("yaw_p", "pitch_p"), predicted, strict=True)),
            **dict(zip(("error_y", "error_p"), np.abs(true - predicted), strict=True)),
            "loss_3d": np.hypot(*(true - predicted)),
            "head_yaw": rng.uniform(-40, 40, num),
            "head_pitch": rng.uniform(-40, 40, num),
        }
    )


@dataclass(frozen=True)
class Drawn:
    """A test of so many subjects, its figure, and the figure's size as a file."""

    results: pl.DataFrame
    figure: Figure
    size_px: tuple[int, int]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Drawn]:
    """What is saved of tests of one, a few and dozens of subjects, by their number."""
    path, figures = tmp_path_factory.mktemp("figures") / "f.png", list[Figure]()
    save, found = Figure.savefig, {}

    def keep(self: Figure, *arguments: Any, **settings: Any) -> None:
        figures.append(self)
        save(self, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        for num_subjects in (1, 5, 56):
            results = small_results(num_subjects)
            save_error_figure(results, summarise(results), path, "demo")
            with Image.open(path) as image:
                found[num_subjects] = Drawn(results, figures[-1], image.size)
    return found


def panels(figure: Figure) -> dict[str, Any]:
    return {axis.get_title() or axis.get_xlabel(): axis for axis in figure.axes}


def test_every_slicing_has_a_panel_with_its_numbers(drawn: dict[int, Drawn]) -> None:
    found, summary = panels(drawn[5].figure), summarise(drawn[5].results)
    names = {"subject": "by subject", "head_yaw": "by head yaw [deg]"}
    names |= {"head_pitch": "by head pitch, + down [deg]", "yaw_t": "by gaze yaw [deg]"}
    names |= {"pitch_t": "by gaze pitch, + up [deg]"}
    assert set(summary["by"]) == set(names)
    for kind, title in names.items():
        heights = [bar.get_height() for bar in found[title].patches]
        np.testing.assert_allclose(heights, [item["mean_deg"] for item in summary["by"][kind]])
        counts = [text.get_text() for text in found[title].texts]
        assert counts == [str(item["num_samples"]) for item in summary["by"][kind]]
    labels = [label.get_text() for label in found["by head yaw [deg]"].get_xticklabels()]
    assert labels == ["-45", "-30", "-15", "0", "15", "30", "45"]
    assert set(found) == {*names.values(), "true yaw [deg]", "true pitch [deg]"}


def test_every_prediction_is_a_point(drawn: dict[int, Drawn]) -> None:
    for name in ("yaw", "pitch"):
        axis = panels(drawn[5].figure)[f"true {name} [deg]"]
        points = drawn[5].results.select(f"{name}_t", f"{name}_p").to_numpy()
        np.testing.assert_array_equal(axis.collections[0].get_offsets(), points)
        assert axis.get_xlim() == axis.get_ylim()


def test_the_headline_is_the_mean_with_its_interval_if_there_is_one(
    drawn: dict[int, Drawn],
) -> None:
    several, one = (drawn[num].figure.get_suptitle() for num in (5, 1))
    mean_deg = drawn[5].results["loss_3d"].mean()
    assert several.startswith(f"demo: {mean_deg:.2f} deg, n = 60, 95 % over subjects [")
    assert one.endswith("deg, n = 12")


def test_dozens_of_subjects_fit(drawn: dict[int, Drawn]) -> None:
    axis = panels(drawn[56].figure)["by subject"]
    boxes = [label.get_window_extent() for label in axis.get_xticklabels()]
    assert len(boxes) == 56
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert drawn[56].size_px == (1760, 880)
