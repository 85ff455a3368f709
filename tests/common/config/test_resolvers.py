"""What configs compute."""

import pytest
import torch

from common.config.resolvers import fast_precision


@pytest.mark.parametrize(
    ("on_gpu", "accelerator", "gpu_has_it", "cpu_has_it", "expected"),
    [
        (False, "auto", False, True, "bf16-mixed"),
        (False, "auto", False, False, "32-true"),
        (True, "auto", True, False, "bf16-mixed"),
        (True, "gpu", False, True, "32-true"),
        (True, "cpu", True, False, "32-true"),
    ],
)
def test_bf16_where_the_device_in_use_computes_in_it(
    monkeypatch: pytest.MonkeyPatch,
    on_gpu: bool,
    accelerator: str,
    gpu_has_it: bool,
    cpu_has_it: bool,
    expected: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: on_gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: gpu_has_it)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: cpu_has_it)
    assert fast_precision(accelerator) == expected
