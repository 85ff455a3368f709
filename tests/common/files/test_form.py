"""What has another form is refused at the place where it has it."""

import pytest

from common.files.form import (
    ANY,
    COUNT,
    FLAG,
    NUMBER,
    PLAIN,
    REAL,
    TEXT,
    WHOLE,
    Each,
    Maybe,
    check_form,
)

FORM = {
    **{"name": TEXT, "seed": Maybe(WHOLE), "n": COUNT, "error": Maybe(NUMBER), "ema": Maybe(FLAG)},
    "slices": [{"slice": PLAIN, "low": Maybe(NUMBER)}],
    "config": Maybe(Each(ANY)),
}
SOUND = {"name": "a", "n": 3, "slices": [{"slice": 0.5}, {"slice": "b", "low": 1}]}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"seed": None, "error": float("nan"), "ema": True},
        {"seed": -1, "error": -2.5, "config": {"a": [1, {"b": None}]}, "nothing reads it": []},
    ],
)
def test_what_has_the_form_is_taken(more):
    check_form({**SOUND, **more}, FORM, "x.json")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"name": None}, "name is null"),
        ({"name": {"low": 1}}, "name is "),
        ({"n": -1}, "n is -1"),
        ({"n": 1.0}, "n is 1.0"),
        ({"n": True}, "n is true"),
        ({"error": "3"}, 'error is "3"'),
        ({"error": True}, "error is true"),
        ({"error": float("inf")}, "error is "),
        ({"error": 10**400}, "error is "),
        ({"seed": [0]}, "seed is "),
        ({"slices": {"a": 1}}, "slices is "),
        ({"slices": [{"slice": "a"}, {"low": 1}]}, "slices[1] lacks slice"),
        ({"slices": [{"slice": []}]}, "slices[0].slice is "),
        ({"config": []}, "config is "),
        ({"config": {"a": {"b": "\ud800"}}}, "half a character"),
    ],
)
def test_another_form_is_refused_with_file_and_place(more, place):
    with pytest.raises(ValueError, match=r"^x\.json: ") as caught:
        check_form({**SOUND, **more}, FORM, "x.json")
    assert place in str(caught.value)


def test_content_that_is_no_mapping_lacks_nothing_silently():
    for content in ([], None, 3, "a"):
        with pytest.raises(ValueError, match=r"^x\.json: "):
            check_form(content, FORM, "x.json")


def test_a_real_number_may_be_of_any_size():
    check_form([1e300, float("inf"), 0], [REAL], "x.json")


def test_nesting_without_end_is_refused():
    content = []
    for _ in range(5000):
        content = [content]
    with pytest.raises(ValueError, match=r"^x\.json: .*deep"):
        check_form({"a": content}, Each(ANY), "x.json")
