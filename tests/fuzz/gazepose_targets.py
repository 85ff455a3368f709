"""The readers of `gazepose`."""

from fuzz.target import Target

TARGETS: list[Target] = []
