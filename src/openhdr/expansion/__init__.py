"""Expansion of one photo to HDR, one row an operator.

An operator is a pure function `(photo, options) -> linear`: (H, W, 3) float32, >= 0, finite, 1.0 = the photo
clips. photo: `openhdr.expansion.photo.Photo`. `options` is the operator's frozen dataclass; its defaults are
the operator's. `openhdr.pipeline.photo_to_hdr` applies one to an Image.
"""

from __future__ import annotations

from dataclasses import dataclass

from openhdr.core.table import Row, Table


@dataclass(frozen=True)
class InverseToneMapperRow(Row):
    """paper: where the operator is published, empty where it is ours.

    keeps_measured: whether pixels that the photo recorded keep their light. sha256: of the files in
    `openhdr/models/weights` that hold its network, by their names; its row in `openhdr.models.MODELS` has the size.
    """

    paper: str = ""
    keeps_measured: bool = False
    sha256: tuple[tuple[str, str], ...] = ()


INVERSE_TONE_MAPPERS: Table[InverseToneMapperRow] = Table(
    "expansion method",
    InverseToneMapperRow(
        "trustnet-single",
        "A small network estimates clipped light from the whole photo; measured pixels are kept.",
        "openhdr.expansion.trustnet_single:trustnet_single",
        keeps_measured=True,
        sha256=(
            ("trustnet-single.onnx", "962bac936b60806509aa8854da795b44961cd59fdbda43b5888d418af990c915"),
        ),
    ),
    InverseToneMapperRow(
        "landis",
        "Bright pixels are raised by a power curve.",
        "openhdr.expansion.landis:landis",
        paper="Landis, SIGGRAPH 2002 course 16",
    ),
    InverseToneMapperRow(
        "akyuz",
        "One gamma curve for the whole photo; by default none.",
        "openhdr.expansion.akyuz:akyuz",
        paper="Akyuz et al., SIGGRAPH 2007",
        keeps_measured=True,
    ),
    InverseToneMapperRow(
        "rempel",
        "Smooth boost around clipped places, stopped at edges.",
        "openhdr.expansion.rempel:rempel",
        paper="Rempel et al., SIGGRAPH 2007",
    ),
    InverseToneMapperRow(
        "kovaleski-oliveira",
        "Boost by a cross-bilateral filter of brightness.",
        "openhdr.expansion.kovaleski_oliveira:kovaleski_oliveira",
        paper="Kovaleski and Oliveira, SIBGRAPI 2014",
    ),
)

DEFAULT = "trustnet-single"
