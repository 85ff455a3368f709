"""Where a run is said to be slow for no reason; what it trains and tests is tested by the lines."""

import pytest
from pytorch_lightning.demos.boring_classes import BoringDataModule, BoringModel

from common.runs import run


@pytest.mark.parametrize("asked", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("fast", ["32-true", "bf16-mixed"])
def test_a_precision_that_the_device_emulates_is_told(
    asked: str, fast: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run, "fast_precision", lambda kind: fast)
    run.test(BoringModel(), BoringDataModule(), [], asked)
    is_told = "trainer.precision=bf16-mixed" in caplog.text
    assert is_told == (asked == "bf16-mixed" and fast == "32-true")
    assert ("trainer.precision=32-true" in caplog.text) == is_told
