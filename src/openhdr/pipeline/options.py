"""What a user can ask of the pipeline. Importing this loads no decoder and no arithmetic: the command line reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openhdr.core.options import choice, nested, option
from openhdr.expansion import DEFAULT as DEFAULT_INVERSE_TONE_MAPPER
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import CLASSICAL
from openhdr.models.inference.options import RunOptions

if TYPE_CHECKING:
    from openhdr.camera.response import Response


@dataclass(frozen=True)
class ExpandOptions:
    """How one photo is expanded. None = the default.

    keep_stack: return the exposures that a network predicts, too.
    """

    method: str | None = option(
        choice(INVERSE_TONE_MAPPERS, DEFAULT_INVERSE_TONE_MAPPER, "a one-photo network of `openhdr models`"),
        None,
    )
    response: Response | str = option("srgb, gamma:2.2, linear, a saved curve.", "srgb")
    weights: str | None = option("Of a network: the name of shipped weights, or a file.", None)
    merger: str | None = option(
        f"Merge the exposures that stack-itm predicts by one of {', '.join(CLASSICAL)}.", None
    )
    anchor: str = option("What 1.0 means: reference (the photo clips), grey or absolute.", "reference")
    run: RunOptions = nested(RunOptions, without=("augment",))
    keep_stack: bool = False
