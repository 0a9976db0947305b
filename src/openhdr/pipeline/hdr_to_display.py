"""HDR -> an image for a screen."""

from __future__ import annotations

from openhdr import io
from openhdr.core.image import Image, ImageOrPath
from openhdr.tonemapping import tonemap as apply_operator


def tonemap(hdr: ImageOrPath, operator: str | None = None) -> Image:
    """Turn an HDR image into a displayable one: (H, W, 3) float32 sRGB codes 0..1.

    hdr: a path or an Image, linear. operator: a row of `openhdr.tonemapping.OPERATORS`; None = the default.

    >>> import numpy as np, openhdr
    >>> hdr = openhdr.Image(np.full((4, 4, 3), 8, np.float32))
    >>> float(openhdr.tonemap(hdr, operator="reinhard").pixels.max()) <= 1
    True
    """
    return apply_operator(hdr if isinstance(hdr, Image) else io.read(hdr), operator)
