"""Options of a command that writes HDR light: a picture beside it, how that is tone-mapped, how both are stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openhdr.cli.shared.outputs import keeps_light, writable
from openhdr.core.options import choice, nested, option
from openhdr.pipeline.pipeline_options import DeliveryOptions
from openhdr.tonemapping import DEFAULT, OPERATORS, parse


@dataclass(frozen=True)
class LightFiles:
    """The options beside the output itself."""

    preview: Path | None = option(
        "Write a picture to look at: PNG, or JPEG that HDR screens show as HDR.", None
    )
    operator: str | None = option(
        f"Of the preview and the SDR picture in a .jpg: {choice(OPERATORS, DEFAULT, 'a preset (.toml)')}",
        None,
    )
    delivery: DeliveryOptions = nested(DeliveryOptions)

    def refuse(self, output: Path, display: bool = False, unused: bool = True) -> None:
        """Refuse before the work what cannot be written. Raises RequestError or FileError.

        display: whether the output is a picture for a screen, which any format holds. unused: refuse options, too, that
        would change nothing.
        """
        for path in (output, self.preview):
            writable(path)
        if self.operator:
            parse(self.operator)
        if not display:
            keeps_light(output)
        if unused:
            self.delivery.refuse_unused(output, self.operator, preview=self.preview is not None)
