"""What an exported net's file says of itself.

An ONNX file has texts by name (``get_modelmeta().custom_metadata_map`` in ONNX Runtime); what is
more than a text is JSON. Whoever reads them gets data, never the name of code, and within bounds.
"""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from common.files.foreign_files import parse_json
from common.files.form import ANY, Each, Kind, Maybe, check_form

FORMAT = "gaze-suite 1"
# Of all texts together: no recipe is a hundredth as long.
_MAX_CHARACTERS = 1 << 20
_MAX_NUMBER = 1e6
_MAX_ENTRIES = 64
_MAX_DEPTH = 4
_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WORDS = re.compile(r"[\w .,:;()=+*-]{0,200}")


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, Mapping):
        return (
            len(value) <= _MAX_ENTRIES
            and depth < _MAX_DEPTH
            and all(
                _KEY.fullmatch(key) and _is_plain(item, depth + 1) for key, item in value.items()
            )
        )
    if isinstance(value, list):
        return len(value) <= _MAX_ENTRIES and all(map(_is_number, value))
    return value is None or isinstance(value, bool) or _is_number(value) or _is_words(value)


def _is_number(value: Any) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and isfinite(value) and abs(value) <= _MAX_NUMBER


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and _WORDS.fullmatch(value) is not None


def _are_settings(value: Any) -> bool:
    return isinstance(value, Mapping) and _is_plain(value)


WORDS = Kind("some words without slashes or quotes", _is_words)
SETTINGS = Kind(
    "plain settings by name: numbers up to a million, words, true or false", _are_settings
)
_TEXTS = ("format", "model", "line", "commit", "angle_contract", "licence")
# Of every exported net; a line adds its own.
_FORM = {
    "format": Kind(repr(FORMAT), lambda value: value == FORMAT),
    **dict.fromkeys(("model", "line"), WORDS),
    "training_data": {"name": WORDS, "recipe": Each(ANY)},
    "annotator": Maybe(SETTINGS),
    "commit": Maybe(WORDS),
}


def to_texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return metadata as an ONNX file keeps them; what is None is left out."""
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in metadata.items()
        if value is not None
    }


def from_texts(texts: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return the metadata of an exported net; what every one has and this one lacks is None.

    Args:
        texts: of a file, by anybody.
        where: the file, for messages.

    Raises:
        ValueError: If they are not of a net that this suite exported, or beyond the bounds.
    """
    if "format" not in texts:
        raise ValueError(
            f"{where} says nothing of its inputs: it is no net that this suite exported "
            "(predict.py run=RUN export=FILE.onnx)"
        )
    if sum(map(len, (*texts, *texts.values()))) > _MAX_CHARACTERS:
        raise ValueError(f"{where}: its metadata are longer than {_MAX_CHARACTERS} characters")
    found = {key: text if key in _TEXTS else _parsed(text) for key, text in texts.items()}
    check_form(found, _FORM, where)
    return dict.fromkeys(_FORM) | found


def _parsed(text: str) -> Any:
    # Other tools add texts of their own.
    try:
        return parse_json(text, "it")
    except ValueError:
        return text
