"""One photo -> a longer and a shorter exposure -> HDR (Zhang et al., CVPR 2023, section 3.7).

    reconstruction   of either exposure at five scales: L1 + 0.5 perceptual (equations 9 to 12)
    adversarial      0.1 x least squares, judged where the photo is badly exposed (equations 13, 14)
    fusion           L1 of log(1 + 5000 H) / log(5001) of the light (equation 15)

The paper trains all of it at once. Phases are an option: `adversarial_from` and `fusion_from` are the steps at
which these terms come in.
- Perceptual: VGG16's features after the third, fourth and fifth pooling. Their weights are not shipped nor
  fetched: `perceptual_weights` names a local file; without one the term is left out. Scales too small for a
  pooled pixel are left out of it.
- Labels: SICE-S has them. Of a bracket with HDR truth they are made by its rule from exposures of the truth,
  a stop apart (data.readers.sice_s).
- Fusion's truth: the HDR image; on SICE-S, where the paper has fusions by a commercial program, what the reader fuses
  of the whole stack (data.readers.sice_s), or, without exposures, the labels merged with the photo.
- Not of the paper, for the small recipe: `light_weight` weighs the difference that expanded photos are scored by
  (`light_distance`, see losses/pu21.py), `merged_weight` the same of the exposures merged without learning, and
  `label_stops` takes labels of a fixed distance instead of the rule.
- One discriminator judges both exposures: the longer one where the photo is too dark, the shorter where too bright.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from openhdr.color.transfer import NETWORK_GAMMA, srgb_encode
from openhdr.core.errors import RequestError
from openhdr.data.readers.sice_s import choose_labels
from openhdr.data.sample import Sample, decode, truth_of
from openhdr.models.layers.blocks import resize
from openhdr.models.layers.codes import linear_to_srgb
from openhdr.models.layers.exposure_fusion import debevec_fusion
from openhdr.train.discriminators.stack_itm import (
    MaskAwareDiscriminator,
    discriminator_loss,
    exposure_mask,
    generator_loss,
    mixed_fake,
)
from openhdr.train.losses.l1 import mu_law
from openhdr.train.losses.pu21 import pu21_decibels, pu21_distance
from openhdr.train.objectives.contract import Batch, BracketObjective, Nets, Terms
from openhdr.train.objectives.perceptual import perceptual_distance

STOPS = range(-4, 5)  # exposures of an HDR truth among which labels are chosen
SIDES: dict[str, Literal["over", "under"]] = {
    "up": "under",
    "down": "over",
}  # exposure -> where it repairs the photo


@dataclass(frozen=True)
class StackITMObjective(BracketObjective):
    """Options of the objective."""

    name: ClassVar[str] = "stack-itm"

    progressive: bool = True  # compare the exposures at five scales; False: at the finest alone
    perceptual_weight: float = 0.5
    perceptual_weights: str = ""  # file of VGG16's weights (keys features.N.weight); "" = no such term
    adversarial_weight: float = 0.1  # 0 = no discriminator
    adversarial_from: int = 0  # step
    fusion_weight: float = 1.0
    fusion_from: int = 0  # step
    reconstruction_weight: float = 1.0  # of the L1 of the exposures
    light_weight: float = 0.0  # of the PU21 difference of the light; 0 = no such term
    light_distance: Literal["root", "decibels"] = "root"  # pu21_distance or pu21_decibels
    merged_weight: float = (
        0.0  # of that difference of the exposures merged by debevec_fusion; 0 = no such term
    )
    label_stops: int = 0  # labels are so many stops from the photo, where there is HDR truth; 0 = by the rule

    def example(self, sample: Sample, rng: np.random.Generator, bounded: bool) -> dict[str, np.ndarray]:
        """photo, up, down (3, H, W) sRGB codes 0..1; light (3, H, W) linear, 1.0 = the photo clips."""
        pictures = _pictures(sample, self.label_stops)
        arrays = {name: np.ascontiguousarray(p.transpose(2, 0, 1)) for name, p in pictures.items()}
        if "light" not in arrays:
            exposures = (torch.from_numpy(arrays[name])[None] for name in ("up", "photo", "down"))
            arrays["light"] = debevec_fusion(*exposures)["out"][0].numpy()
        return arrays

    def of_batch(self, bracket: Batch, bounded: bool) -> Batch:
        """As `example`, of the medium frame; labels at a fixed distance."""
        if not self.label_stops:
            raise RequestError('data.source = "drawn" needs objective.label_stops')
        light = bracket["truth"] ** NETWORK_GAMMA
        stops = {"photo": bracket["frames"][:, 1] ** NETWORK_GAMMA}
        stops |= {"up": light * 2.0**self.label_stops, "down": light * 2.0**-self.label_stops}
        return {**{name: linear_to_srgb(one.clamp(0, 1)) for name, one in stops.items()}, "light": light}

    def truth(self, sample: Sample) -> np.ndarray:
        """(H, W, 3) linear light."""
        return self.example(sample, np.random.default_rng(0), False)["light"].transpose(1, 2, 0)

    def discriminator(self) -> nn.Module | None:
        return MaskAwareDiscriminator() if self.adversarial_weight else None

    def net_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        parts = nets.net(batch["photo"], return_parts=True)
        terms: Terms = {}
        for side in SIDES:
            scales = parts[f"progressive_{side}"]
            images = [image.float() for image in (scales if self.progressive else scales[-1:])]
            labels = [resize(batch[side], image.shape[-2:]) for image in images]
            pairs = list(zip(images, labels, strict=True))
            zero = batch[side].new_zeros(())
            distance = sum(((image - label).abs().mean() for image, label in pairs), start=zero)
            terms[side] = self.reconstruction_weight * distance
            if self.perceptual_weights:
                distances = [perceptual_distance(self.perceptual_weights, *pair) for pair in pairs]
                terms[f"{side}_perceptual"] = self.perceptual_weight * sum(distances, start=zero)
        if nets.discriminator is not None:
            weight = self.adversarial_weight * (step >= self.adversarial_from)
            losses = []
            for side, kind in SIDES.items():
                mask = exposure_mask(batch["photo"], kind)
                fake, _ = mixed_fake(_finest(parts, side, batch), batch[side], mask)
                losses.append(generator_loss(nets.discriminator(fake)[0].float()))
            terms["adversarial"] = weight * (losses[0] + losses[1])
        mapped = [mu_law(x.float()) for x in (parts["out"], batch["light"])]
        terms["fusion"] = (
            self.fusion_weight * (step >= self.fusion_from) * (mapped[0] - mapped[1]).abs().mean()
        )
        distance_of = {"root": pu21_distance, "decibels": pu21_decibels}[self.light_distance]
        if self.light_weight:
            terms["light"] = self.light_weight * distance_of(parts["out"], batch["light"])
        if self.merged_weight:
            exposures = (parts["exposure_up"].float(), batch["photo"], parts["exposure_down"].float())
            merged = debevec_fusion(*exposures)["out"]
            terms["merged"] = self.merged_weight * distance_of(merged, batch["light"])
        return terms

    def discriminator_terms(self, nets: Nets, batch: Batch, step: int) -> Terms:
        with torch.no_grad():
            parts = nets.net(batch["photo"], return_parts=True)
        losses: list[torch.Tensor] = []
        assert nets.discriminator is not None
        for side, kind in SIDES.items():
            fake, label = mixed_fake(
                _finest(parts, side, batch), batch[side], exposure_mask(batch["photo"], kind)
            )
            real, made = (nets.discriminator(image)[0].float() for image in (batch[side], fake))
            losses.append(discriminator_loss(real, made, label))
        return {"discriminator": (losses[0] + losses[1]) * (step >= self.adversarial_from)}


def _finest(parts: dict[str, Any], side: str, batch: Batch) -> torch.Tensor:
    """An exposure as the network predicts it, not clipped, so that gradients pass everywhere."""
    height, width = batch["photo"].shape[-2:]
    return parts[f"progressive_{side}"][-1][..., :height, :width].float()


def _pictures(sample: Sample, stops: int) -> dict[str, np.ndarray]:
    """photo, up, down (H, W, 3) sRGB codes 0..1 and, where there is a truth, light (H, W, 3)."""
    photo = _srgb(decode(sample.frames[sample.reference], sample.response))
    known = {} if sample.truth is None else {"light": np.maximum(sample.truth, 0).astype(np.float32)}
    if SIDES.keys() <= sample.extras.keys():
        labels = {side: _srgb(decode(sample.extras[side], sample.response)) for side in SIDES}
        return {"photo": photo, **labels, **known}
    light = np.maximum(truth_of(sample), 0).astype(np.float32)
    stack = tuple(np.round(_srgb(light * np.float32(2.0**stop)) * 255).astype(np.uint8) for stop in STOPS)
    middle = len(STOPS) // 2
    down, up = (middle - stops, middle + stops) if stops else choose_labels(stack, middle)
    scale = np.float32(1 / 255)
    return {"photo": photo, "up": stack[up] * scale, "down": stack[down] * scale, "light": light}


def _srgb(light: np.ndarray) -> np.ndarray:
    return srgb_encode(np.clip(light, 0, 1)).astype(np.float32)
