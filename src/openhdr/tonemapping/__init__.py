"""Tone mapping, one row an operator, and `tonemap`, which applies one to an Image.

An operator is a pure function `(linear, options) -> display`. linear: (H, W, 3) float32, linear Rec.709,
>= 0, finite, any scale. display: (H, W, 3) float32, 0..1, sRGB-encoded: times 255 and rounded it is an 8-bit
picture, no further gamma. `options` is the operator's frozen dataclass; its defaults are the operator's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from openhdr.core.errors import RequestError
from openhdr.core.table import Row, Table

if TYPE_CHECKING:  # help texts list the operators, and have no time for NumPy
    import numpy as np

    from openhdr.core.image import Image


@dataclass(frozen=True)
class OperatorRow(Row):
    """paper: where the operator is published, empty where it is plain practice.

    local: whether a pixel's tone depends on its neighbourhood.
    scale_invariant: whether a brighter or darker scaled copy of the scene gives the same picture.
    """

    paper: str = ""
    local: bool = False
    scale_invariant: bool = True


OPERATORS: Table[OperatorRow] = Table(
    "tone mapping operator",
    OperatorRow(
        "reinhard",
        "Photographic tone reproduction, one curve for the whole picture.",
        "openhdr.tonemapping.reinhard:reinhard",
        paper="Reinhard et al., SIGGRAPH 2002",
    ),
    OperatorRow(
        "reinhard-local",
        "Photographic tone reproduction with dodging and burning.",
        "openhdr.tonemapping.reinhard_local:reinhard_local",
        paper="Reinhard et al., SIGGRAPH 2002",
        local=True,
    ),
    OperatorRow(
        "drago",
        "Adaptive logarithmic mapping.",
        "openhdr.tonemapping.drago:drago",
        paper="Drago et al., Eurographics 2003",
    ),
    OperatorRow(
        "durand",
        "Bilateral filter: large-scale contrast compressed, detail kept.",
        "openhdr.tonemapping.durand:durand",
        paper="Durand and Dorsey, SIGGRAPH 2002",
        local=True,
    ),
    OperatorRow(
        "hable",
        "Filmic curve with toe and shoulder.",
        "openhdr.tonemapping.hable:hable",
        paper="Hable, Game Developers Conference 2010",
    ),
    OperatorRow(
        "mantiuk08",
        "The curve that loses least visible contrast on a display.",
        "openhdr.tonemapping.mantiuk08:mantiuk08",
        paper="Mantiuk, Daly and Kerofsky, SIGGRAPH 2008",
    ),
    OperatorRow(
        "liang",
        "Hybrid L1-L0 layer decomposition; the one of the tm-psnr and tm-ssim metrics.",
        "openhdr.tonemapping.liang:liang",
        paper="Liang et al., CVPR 2018",
        local=True,
        scale_invariant=False,  # the logarithm's offset of 1e-4 is absolute
    ),
    OperatorRow(
        "exposure",
        "Scale and clip: the scene as one exposure shows it.",
        "openhdr.tonemapping.exposure:exposure",
    ),
)

DEFAULT = "drago"
"""For previews. One rising curve cannot make halos or lift noise out of the sky, and the logarithm bends by
itself to the scene's range: windows keep their view while rooms stay bright. On panoramas and merged
brackets it did so with default settings where `reinhard` and `mantiuk08` left interiors grey or dark,
`hable` blew lamps and windows, and the local operators drew halos (`reinhard-local`), flattened (`durand`)
or exaggerated (`liang`)."""


def tonemap(
    image: Image,
    operator: str | None = None,
    options: Any = None,
    dtype: Literal["float32", "uint8"] = "float32",
) -> Image:
    """Turn a linear HDR image into one for a display; exposure, metadata and notes are kept.

    operator: a name in OPERATORS, None = DEFAULT. options: that operator's options, None = its defaults.
    Returns an sRGB Image, float32 0..1 or uint8. Raises RequestError for an unknown operator, an image that
    is already display-encoded, or pixels that are negative or not finite.
    """
    import numpy as np

    row = OPERATORS[operator or DEFAULT]
    if image.encoding != "linear" or image.pixels.dtype != np.float32:
        raise RequestError(
            f"tone mapping needs a linear float32 image; got {image.encoding} {image.pixels.dtype}, "
            "which is ready for a display as it is"
        )
    if dtype not in ("float32", "uint8"):
        raise RequestError(f"tone mapping dtype is '{dtype}'; expected 'float32' or 'uint8'")
    if not 0 <= image.pixels.min() <= image.pixels.max() < np.inf:  # false for NaN too
        raise RequestError("tone mapping needs finite pixels >= 0; clip or mend the image first")
    function = row.load()
    display = function(image.pixels) if options is None else function(image.pixels, options)
    return image.with_pixels(_to_uint8(display) if dtype == "uint8" else display, encoding="srgb")


def _to_uint8(display: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.rint(display * np.float32(255)).astype(np.uint8)
