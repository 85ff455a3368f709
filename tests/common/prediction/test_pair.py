"""Two annotators' faces as one: what each says, and what of it is drawn."""

from typing import Any

import numpy as np
from builders.counting_faces import Counting

from common.arrays import Image
from common.prediction.pair import Pair


class Square:
    """A face whose box is so far right as it is said to be; it draws a pixel for each question."""

    def __init__(self, left_px: float, question: int) -> None:
        self.track_id = ""
        self.bbox_xyxy_px = np.array([left_px, 0, left_px + 10, 10], np.float64)
        self._question = question

    def record(self) -> dict[str, Any]:
        return {f"answer_{self._question}": self.bbox_xyxy_px[0]}

    def draw(self, image: Image) -> None:
        image[0] = 9
        self.draw_inside(image)

    def draw_inside(self, image: Image) -> None:
        image[self._question, int(self.bbox_xyxy_px[0])] = 7


class Squares(Counting):
    """Finds faces at given places."""

    def __init__(self, question: int, *lefts_px: float) -> None:
        self.columns = {f"answer_{question}": float}
        self._faces = [Square(left, question) for left in lefts_px]

    def predict(self, image: Image, camera_matrix: Any = None) -> list[Square]:
        return self._faces


def test_a_pair_is_an_annotator_that_may_be_paired_again() -> None:
    first, second, third = Squares(1, 0, 20, 40), Squares(2, 42, 1), Squares(3, 2, 100)
    pair = Pair(first, Pair(second, third))
    records, drawn = pair.annotate(np.zeros((4, 50, 3), np.uint8))
    assert records == [
        {"answer_1": 0, "answer_2": 1, "answer_3": 2},
        {"answer_1": 20, "answer_2": None, "answer_3": None},
        {"answer_1": 40, "answer_2": 42, "answer_3": None},
    ]
    # The first's boxes alone are drawn, and of all of them what lies inside.
    rows, columns = np.nonzero(drawn[1:, :, 0])
    assert [rows.tolist(), columns.tolist()] == [[0, 0, 0, 1, 1, 2], [0, 20, 40, 1, 42, 2]]
    assert (drawn[0] == 9).all()
