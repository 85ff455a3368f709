"""The readers of `common`."""

from fuzz.target import Target

TARGETS: list[Target] = []
