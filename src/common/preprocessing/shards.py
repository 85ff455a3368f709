"""A data set's groups spread over several machines."""

from __future__ import annotations


def parse_shard(shard: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``: every n-th group, starting with the i-th (from 0).

    Raises:
        ValueError: If it is not of that form with 0 <= i < n.
    """
    number, _, of = shard.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise ValueError(f"shard is {shard!r}, expected i/n with 0 <= i < n, e.g. shard=0/4")
    return int(number), int(of)
