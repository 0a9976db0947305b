"""Reductions over channels against NumPy's own."""

from __future__ import annotations

import numpy as np

from openhdr.color.channels import (
    all_channels,
    any_channel,
    brightest_channel,
    mean_channel,
    share_of_channels,
)


def test_they_are_numpy_s(rng):
    image = rng.random((13, 17, 3), np.float32)
    mask = image > 0.5
    np.testing.assert_allclose(mean_channel(image), image.mean(axis=2), rtol=1e-6)
    np.testing.assert_array_equal(any_channel(mask), mask.any(axis=2))
    np.testing.assert_array_equal(all_channels(mask), mask.all(axis=2))
    np.testing.assert_allclose(share_of_channels(mask), mask.mean(axis=2), rtol=1e-6)
    for dtype in (np.uint8, np.uint16, np.float32):
        codes = (image * 200).astype(dtype)[::2, ::3]  # not contiguous
        np.testing.assert_array_equal(brightest_channel(codes), codes.max(axis=2))
