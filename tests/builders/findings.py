"""What a reader's doctor says."""

from typing import Any

from common.preprocessing.findings import Finding
from common.preprocessing.recipe import GroupReader


def said(reader: GroupReader[Any], severity: str) -> list[Finding]:
    """Return the doctor's findings of one severity."""
    return [finding for finding in reader.doctor() if finding.severity == severity]
