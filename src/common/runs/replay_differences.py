"""What a recorded run stood on that is not the same now, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Snapshot = Mapping[str, Any]


def differences(recorded: Snapshot, now: Snapshot) -> list[str]:
    """Return what would keep a replay from being the recorded run, one sentence each.

    Another commit with the same code is none, nor is another machine.

    Args:
        recorded: the run's snapshot.
        now: ``git``, ``code_sha256``, ``versions``, ``data`` and ``weights`` as they are.
    """
    return [
        *_of_status(recorded["status"]),
        *_of_code(recorded, now),
        *_of_entries("version of", recorded["versions"], now["versions"]),
        *_of_entries("data:", recorded["data"], now["data"]),
        *_of_weights(recorded, now["weights"]),
    ]


def same_number(recorded: float | None, now: float | None) -> bool:
    """Return whether two metrics are equal; undefined ones are."""
    if recorded is None or now is None:
        return recorded is now
    return recorded == now or (math.isnan(recorded) and math.isnan(now))


def _of_status(status: str) -> list[str]:
    return [] if status == "finished" else [f"it is {status}: it has no metrics to compare with"]


def _of_code(recorded: Snapshot, now: Snapshot) -> list[str]:
    ran = {start.get("code_sha256") for start in recorded["starts"]}
    if ran == {now["code_sha256"]}:
        return []
    if len(ran) > 1:
        return ["code: it changed between the run's starts"]
    before, after = recorded["git"], now["git"]
    if before and before["commit"] == after.get("commit"):
        said = f"commit {before['commit'][:12]} with other uncommitted changes"
    else:
        said = f"{_described(before)} then, {_described(after)} now"
    return [f"code: {said} (run.json has the commit and its changes under git)"]


def _described(git: Mapping[str, Any]) -> str:
    if not git:
        return "outside git"
    changes = " with uncommitted changes" if git["changes"] or git.get("untracked") else ""
    return f"commit {git['commit'][:12]}{changes}"


def _of_entries(what: str, recorded: Snapshot, now: Snapshot) -> list[str]:
    return [
        f"{what} {key}: {_short(value)} then, {_short(now.get(key))} now"
        for key, value in recorded.items()
        if now.get(key) != value
    ]


def _of_weights(recorded: Snapshot, now: Mapping[str, str | None]) -> list[str]:
    ran = sorted(map(str, recorded.get("weights", {}).values()))
    if ran == sorted(map(str, now.values())):
        return []
    places = ", ".join(now) or ", ".join(recorded["weights"])
    return [f"weights to start from: {places} is not the file the run started from"]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
