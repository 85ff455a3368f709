import pytest

from common.listing import counted, counted_names


@pytest.mark.parametrize(
    ("number", "nouns", "said"),
    [
        (0, "errors", "0 errors"),
        (1, "errors", "1 error"),
        (1, "clips without videos", "1 clip without videos"),
        (2, "clips without videos", "2 clips without videos"),
    ],
)
def test_one_is_singular(number: int, nouns: str, said: str) -> None:
    assert counted(number, nouns) == said


def test_an_empty_name_is_seen() -> None:
    assert counted_names(["a", ""], "clips") == "2 clips: a, ''"
