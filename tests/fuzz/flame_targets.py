"""The readers of `flame`."""

from fuzz.target import Target

TARGETS: list[Target] = []
