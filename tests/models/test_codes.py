"""The curve on tensors is NumPy's, and has gradients everywhere."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from openhdr.color.transfer import srgb_decode, srgb_encode  # noqa: E402
from openhdr.models.layers.codes import linear_to_srgb, srgb_to_linear  # noqa: E402


def test_both_ways_agree_with_numpy() -> None:
    values = np.concatenate([np.linspace(0, 1, 4001), [0.0031308, 0.04045]])
    tensor = torch.tensor(values, requires_grad=True)
    np.testing.assert_allclose(linear_to_srgb(tensor).detach(), srgb_encode(values), atol=1e-12)
    np.testing.assert_allclose(srgb_to_linear(tensor).detach(), srgb_decode(values), atol=1e-12)
    (linear_to_srgb(tensor) + srgb_to_linear(tensor)).sum().backward()
    assert torch.isfinite(tensor.grad).all() and (tensor.grad > 0).all()
