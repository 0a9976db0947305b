"""openhdr: high dynamic range images from ordinary photos.

    img = openhdr.read(path)                      # -> openhdr.Image
    openhdr.write(path, img)                      # or an (H, W, 3) array
    hdr = openhdr.merge(frames_or_paths)          # a bracket -> HDR
    hdr = openhdr.expand(image_or_path)           # one photo -> HDR
    ldr = openhdr.tonemap(hdr)
    scores = openhdr.metrics.evaluate(test, ref, ["psnr-mu"])
    net = openhdr.models.load("gsanet")           # needs the torch extra

Importing the package does no work: every name is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from openhdr.core.version import __version__

if TYPE_CHECKING:  # what editors and type checkers see; at run time `__getattr__` loads it
    from openhdr import metrics as metrics
    from openhdr import models as models
    from openhdr.core.errors import ExposureError, FileError, MissingExtraError, OpenHDRError, RequestError
    from openhdr.core.image import Bracket, Exposure, Frame, Image
    from openhdr.io import read
    from openhdr.models.inference.run_options import RunOptions
    from openhdr.pipeline.bracket_to_hdr import MergeResult, merge, merge_bracket
    from openhdr.pipeline.bracket_to_response import calibrate
    from openhdr.pipeline.delivery import write
    from openhdr.pipeline.hdr_to_display import tonemap
    from openhdr.pipeline.photo_to_hdr import Expansion, expand, expand_photo
    from openhdr.pipeline.pipeline_options import CalibrateOptions, ExpandOptions, MergeOptions

__all__ = [
    "Bracket",
    "CalibrateOptions",
    "ExpandOptions",
    "Expansion",
    "Exposure",
    "ExposureError",
    "FileError",
    "Frame",
    "Image",
    "MergeOptions",
    "MergeResult",
    "MissingExtraError",
    "OpenHDRError",
    "RequestError",
    "RunOptions",
    "__version__",
    "calibrate",
    "expand",
    "expand_photo",
    "merge",
    "merge_bracket",
    "metrics",
    "models",
    "read",
    "tonemap",
    "write",
]

_HOMES = {
    "core.errors": "ExposureError FileError MissingExtraError OpenHDRError RequestError",
    "core.image": "Bracket Exposure Frame Image",
    "io": "read",
    "models.inference.run_options": "RunOptions",
    "pipeline.bracket_to_hdr": "MergeResult merge merge_bracket",
    "pipeline.bracket_to_response": "calibrate",
    "pipeline.delivery": "write",
    "pipeline.hdr_to_display": "tonemap",
    "pipeline.pipeline_options": "CalibrateOptions ExpandOptions MergeOptions",
    "pipeline.photo_to_hdr": "Expansion expand expand_photo",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in ("metrics", "models"):
        return importlib.import_module(f"openhdr.{name}")
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"openhdr.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'openhdr' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
