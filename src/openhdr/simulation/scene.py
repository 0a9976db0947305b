"""An HDR scene to take images of, and the views of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from openhdr.core.errors import RequestError
from openhdr.simulation.texture import Texture, shrink
from openhdr.simulation.view import CropPose, CropView, PanoramaPose, PanoramaView

Kind = Literal["panorama", "flat"]
_LEAST_SIDE = 16  # pixels: a smaller image has nothing to look at


@dataclass(frozen=True)
class Scene:
    """A named HDR picture: `panorama` (equirectangular, the whole sphere) or `flat`."""

    name: str
    kind: Kind
    texture: Texture

    def view(self, pose: PanoramaPose | CropPose, focal_px: float, centre: tuple[float, float]) -> ViewOf:
        """The camera's view at `pose`; `centre` is the pixel (x, y) on the optical axis."""
        if isinstance(pose, PanoramaPose):
            return PanoramaView(self.texture, pose, focal_px, centre)
        return CropView(self.texture, pose)


ViewOf = PanoramaView | CropView


def make_scene(name: str, pixels: np.ndarray, kind: Kind | None = None, scale: int = 1) -> Scene:
    """A scene from (H, W, 3) linear pixels >= 0.

    kind: None = a panorama where the image is exactly twice as wide as high. scale: average blocks of so
    many pixels first, for views that would otherwise show it smaller than it is.
    """
    if min(pixels.shape[:2]) < _LEAST_SIDE:
        raise RequestError(
            f"scene '{name}' is {pixels.shape[1]}x{pixels.shape[0]}; expected {_LEAST_SIDE} or more"
        )
    if not pixels.max() > 0:
        raise RequestError(f"scene '{name}' is black; expected an HDR image with light in it")
    chosen = kind or ("panorama" if pixels.shape[1] == 2 * pixels.shape[0] else "flat")
    return Scene(name, chosen, Texture(shrink(pixels, scale), wrap=chosen == "panorama"))


def find_scene(scenes: Sequence[Scene], name: str) -> Scene:
    """The scene called `name`."""
    return next(scene for scene in scenes if scene.name == name)
