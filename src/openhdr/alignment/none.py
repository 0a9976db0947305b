"""No alignment: every frame is taken to lie on the reference."""

from __future__ import annotations

from openhdr.camera.response import Response
from openhdr.core.image import Bracket
from openhdr.geometry import Registration, identity


def align(bracket: Bracket, response: Response) -> list[Registration]:
    """One registration per frame, all at rest."""
    return [identity("reference" if i == bracket.reference else "kept") for i in range(len(bracket.frames))]
