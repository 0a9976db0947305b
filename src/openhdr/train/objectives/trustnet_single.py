"""A photo -> how bright its clipped light is, by the network of `trustnet-single`.

    mean over photos of 10 log10(mean((V(a) - V(b))^2) / 256^2 + 3e-5) + 1.0 x the variance of the channels' stops

V: PU21 with 1.0 = 100 cd/m2, as expanded photos are scored; over the whole photo, of which only lost pixels differ. The
second term, where all channels are lost, draws colours that nothing shows to grey.

An estimate is read at the photo's own pixels as in the expansion: from cells where something is lost, then bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn import functional as F

from openhdr.metrics.pu21 import PEAK
from openhdr.models.trustnet_single import FEATURES
from openhdr.train.exposed_photo import PIXELS, ExposedPhoto
from openhdr.train.losses.pu21 import perceived
from openhdr.train.objectives.contract import Batch, Nets, Objective, Terms

_FLOOR = 3e-5  # of a squared difference: what is better than 45 dB counts little
_CELL, _STEP = 2, 32  # pixels of a cell in photos of 384; cells that heights and widths are multiples of


@dataclass(frozen=True)
class TrustNetSingleObjective(Objective[ExposedPhoto]):
    """Options of the objective."""

    name: ClassVar[str] = "trustnet-single"

    grey_weight: float = 1.0  # dB per squared stop that the channels of a fully lost pixel lie apart

    def stand_in(self, side: int) -> ExposedPhoto:
        """A photo all of which is lost."""
        cells = max(_STEP, side // _CELL // _STEP * _STEP)
        planes, colours = np.zeros((FEATURES + 1, cells, cells), np.float32), np.ones((PIXELS, 3), np.float32)
        places, all_of_it = np.zeros((PIXELS, 2), np.float32), np.ones(1, np.float32)
        return ExposedPhoto(planes[1:], planes[:1] + 1, places, colours, colours, colours > 0, all_of_it)

    def example(self, sample: ExposedPhoto, rng: np.random.Generator, bounded: bool) -> dict[str, np.ndarray]:
        """The fields of an `ExposedPhoto`, varied."""
        return sample.varied(rng).arrays()

    def of_batch(self, batch: Batch, bounded: bool) -> Batch:
        """What the source of data drew is what is learned from."""
        return batch

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        stops = nets.net(batch["seen"]).float()
        maps = torch.cat((stops * batch["counts"], batch["counts"]), 1)
        found = F.grid_sample(maps, batch["places"][:, None], padding_mode="border", align_corners=False)
        found = found[:, :, 0].transpose(1, 2)
        stops = batch["bound"] * -torch.expm1(-found[..., :3] / found[..., 3:] / batch["bound"])
        apart = perceived(torch.exp2(stops)) - perceived(batch["truth"])
        error = (apart / PEAK).square() * batch["lost"]
        decibels = 10 * torch.log10(error.mean((1, 2)) * batch["share"][:, 0] + _FLOOR)
        tint = (stops - stops.mean(2, keepdim=True)).square() * batch["lost"].all(2, keepdim=True)
        return {"decibels": decibels.mean(), "tint": self.grey_weight * tint.mean()}
