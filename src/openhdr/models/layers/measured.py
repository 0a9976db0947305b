"""What a photo measured, kept: a network's light counts only where the photo clips.

Ours, not of the papers, whose networks paint every pixel anew. Light passes from the photo's to the network's between
FROM and TO, in each channel; not later, because JPEGs leave codes a little below the top in clipped areas.
"""

from __future__ import annotations

from typing import Literal

import torch

FROM, TO = 0.75, 0.92  # light, 1.0 = the photo clips

Measured = Literal["painted", "kept"]
"""What becomes of light that the photo measured."""


def keep_measured(light: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """light: (B, 3, H, W) the photo's, linear, 1.0 = it clips. made: the network's, the same shape."""
    share = ((light - FROM) / (TO - FROM)).clamp(0, 1)
    return torch.lerp(light, made, share)
