"""Sound content -> damaged or hostile content, by chance.

Ours, because the well-kept fuzzers do not fit: atheris mutates inside its own loop alone, stops at
the first crash and cannot be seeded per input; hypothesis makes values, not damaged files.
"""

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

MAX_BYTES = 1 << 20
_DEEP = 3000
_MARK = "~~deep~~"
_TOKENS = (
    *(
        b"",
        b"\x00",
        b"\xff",
        b"\xe9",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"\t",
        b" ",
    ),
    *(b"0", b"-1", b"9999999", b"1e999", b"-1e999", b"NaN", b"Infinity", b"nan", b"inf", b"1_0"),
    *(b"1" * 400, b"1" * 5000, b"-0", b"0x10", b"2147483648", b"9223372036854775808", b"1e308"),
    *(b"..", b"../../../secret", b"/etc/hostname", b"a" * 300, b"%s", b"{}", b"[]", b"null"),
    *(
        b"true",
        b'"',
        b"'",
        b",",
        b";",
        b":",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[" * _DEEP,
        b'{"a":' * _DEEP,
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, -0.0, 7, 9_999_999, 2**31, 2**53, 2**63, 10**18, -(10**18)),
    *(
        10**308,
        10**400,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "0",
        "1",
        "nan",
        "x",
        "\ud800",
        "\x00",
    ),
    *("é", "..", "../../../secret", "/etc/hostname", "a/b", ".hidden", "a" * 300, "1" * 400),
    *([], {}, [[]], [None], [0], {"": None}, {"a": []}, [1, 2, 3, 4], _MARK, [_MARK], {"a": _MARK}),
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1)


def mutated(content: bytes, random: Random) -> bytes:
    """Return content with one to four changes, at most `MAX_BYTES` of it."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        content = random.choice(_changes_of(content))(content, random)
    return content[:MAX_BYTES]


def _changes_of(content: bytes) -> tuple[Callable[[bytes, Random], bytes], ...]:
    """Return what may be done: half of it by structure, where there is one."""
    if content.lstrip()[:1] in (b"{", b"["):
        return (*_OF_BYTES, *[_json_edited] * len(_OF_BYTES))
    if b"\x00" not in content and b"\n" in content:
        return (*_OF_BYTES, *_OF_LINES)
    return _OF_BYTES


def _bits_flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _block_dropped(content: bytes, random: Random) -> bytes:
    start, end = _block(content, random)
    return content[:start] + content[end:]


def _block_copied(content: bytes, random: Random) -> bytes:
    start, end = _block(content, random)
    place = random.randrange(len(content) + 1)
    return content[:place] + content[start:end] * random.choice((1, 1, 2, 20)) + content[place:]


def _block_overwritten(content: bytes, random: Random) -> bytes:
    start, end = _block(content, random)
    fill = random.choice((b"\x00", b"\xff", None))
    size = min(end - start, 64)
    new = random.randbytes(size) if fill is None else fill * size
    return content[:start] + new + content[start + size :]


def _token_put(content: bytes, random: Random) -> bytes:
    place, token = random.randrange(len(content) + 1), random.choice(_TOKENS)
    overwritten = random.choice((0, 0, 1, len(token)))
    return content[:place] + token + content[place + overwritten :]


def _number_put(content: bytes, random: Random) -> bytes:
    size, order = random.choice("BHIQ"), random.choice("<>")
    number = random.choice(_NUMBERS) & (256 ** struct.calcsize(size) - 1)
    place, packed = random.randrange(len(content) + 1), struct.pack(order + size, number)
    return content[:place] + packed + content[place + len(packed) :]


def _block(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    size = random.choice((1, 4, 16, 256, len(content)))
    return start, min(start + random.randrange(size + 1), len(content))


def _line_changed(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    number = random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(random.randrange(len(lines) + 1), lines[number])
    elif kind == 2:
        lines[number] = random.choice(_TOKENS)
    else:
        lines[number] = lines[number] + random.choice(_TOKENS)
    return b"\n".join(lines)


def _field_changed(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    number = random.randrange(len(lines))
    mark = max(b", \t;:=", key=lambda mark: lines[number].count(mark))
    fields = lines[number].split(bytes([mark]))
    fields[random.randrange(len(fields))] = random.choice(_TOKENS)
    lines[number] = bytes([mark]).join(fields)
    return b"\n".join(lines)


def _json_edited(content: bytes, random: Random) -> bytes:
    try:
        tree = [json.loads(content)]
    except (ValueError, RecursionError):
        return _token_put(content, random)
    holder, key = random.choice(_places(tree))
    kind = random.randrange(4)
    if kind == 0 and holder is not tree:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == 2 and isinstance(holder, dict):
        holder[random.choice(("", "x", "\ud800", "a" * 300, "../x", _MARK))] = holder.pop(key)
    else:
        holder[key] = random.choice(_VALUES)
    opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
    deep = opening * _DEEP + "1" + closing * _DEEP
    return json.dumps(tree[0]).replace(f'"{_MARK}"', deep).encode()


def _places(tree: list[Any]) -> list[tuple[Any, Any]]:
    """Return every place of a json tree as what holds it, and its key there."""
    places, open_holders = [], [tree]
    while open_holders:
        holder = open_holders.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        places += [(holder, key) for key in keys]
        open_holders += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return places


_OF_BYTES = (
    *(_bits_flipped, _cut, _block_dropped, _block_copied, _block_overwritten),
    *(_token_put, _number_put),
)
_OF_LINES = (_line_changed, _field_changed) * (len(_OF_BYTES) // 2)
