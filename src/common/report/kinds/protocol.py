"""What tests must share to stand in one table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from common.report.kinds.measure import rounded


@dataclass(frozen=True)
class TestProtocol(ABC):
    """What two tests must share to stand in one table; every kind adds to it.

    Attributes:
        tested_on: name of the data.
        part: of the data.
        fold: which fold of them it is, e.g. ``0 of 5``; None if they are in none.
        baseline_names: fields with the values of predictors that need no training, in the unit of
            the summaries, and what these predictors are called.
        baseline_digits: to which their values must agree.
    """

    tested_on: str
    part: str
    fold: str | None
    baseline_names: ClassVar[Mapping[str, str]]
    baseline_digits: ClassVar[int]

    @classmethod
    def baseline_values(cls, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of the baselines, from a summary."""
        found, digits = summary["baselines"], cls.baseline_digits
        return {name: rounded(found.get(name), digits) for name in cls.baseline_names}

    @classmethod
    def fold_of(cls, summary: Mapping[str, Any]) -> str | None:
        """Return the field ``fold``, from a summary."""
        fold = summary.get("fold")
        return None if fold is None else f"{fold['number']} of {fold['of']}"

    @property
    def fold_words(self) -> str:
        """The fold, for a caption; nothing without one."""
        return "" if self.fold is None else f", fold {self.fold}"

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{self.tested_on}, {self.part} part"

    @property
    @abstractmethod
    def caption(self) -> str:
        """The protocol in words."""

    @property
    def baselines(self) -> dict[str, float]:
        """Values of the predictors that need no training, by their name."""
        found = {name: getattr(self, key) for key, name in self.baseline_names.items()}
        return {name: value for name, value in found.items() if value is not None}
