"""What a doctor found, as a person reads it."""

from dataclasses import dataclass
from typing import Literal

from common.listing import counted

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """Something a doctor saw in a raw data set before anything ran.

    Attributes:
        severity: ``error``: it cannot be used as it is; ``warning``: something will be left out or
            looks wrong; ``note``: what is there.
        what: the finding, as a sentence.
        where: file or folder.
        remedy: what to do or to type; empty if nothing needs doing.
    """

    severity: Severity
    what: str
    where: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n         -> {self.remedy}" if self.remedy else ""
        return f"{self.severity:7}  {self.what} [{self.where}]{remedy}"


def findings_text(findings: list[Finding]) -> str:
    """Return findings as a person reads them: a count, then errors, warnings and notes."""
    severities = ("error", "warning", "note")
    counts = [sum(finding.severity == s for finding in findings) for s in severities]
    ordered = sorted(findings, key=lambda finding: severities.index(finding.severity))
    head = ", ".join(counted(n, f"{s}s") for n, s in zip(counts, severities, strict=True))
    return "\n".join([head, *map(str, ordered)])
