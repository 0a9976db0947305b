"""openhdr: high dynamic range images from ordinary photos.

    img = openhdr.read(path)                      # -> openhdr.Image
    openhdr.write(path, img)
    hdr = openhdr.merge(frames_or_paths)          # a bracket -> HDR
    hdr = openhdr.expand(image_or_path)           # one photo -> HDR
    ldr = openhdr.tonemap(hdr)
    scores = openhdr.metrics.evaluate(test, ref, ["psnr-mu"])
    net = openhdr.models.load("gsanet")           # needs the torch extra

Importing the package does no work: every name is loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Image": "openhdr.core.image",
    "Exposure": "openhdr.core.image",
    "OpenHDRError": "openhdr.core.errors",
    "read": "openhdr.io",
    "write": "openhdr.io",
    "merge": "openhdr.pipeline",
    "expand": "openhdr.pipeline",
    "tonemap": "openhdr.pipeline",
}
_MODULES = ("metrics", "models")

__all__ = [*_PUBLIC, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"openhdr.{name}")
    raise AttributeError(f"module 'openhdr' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
