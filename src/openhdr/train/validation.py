"""Scores on held-out scenes, by the way that users get their pictures: the networks' runners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from openhdr.camera.response import parse
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.image import Image
from openhdr.data.sample import Sample, exposures_of
from openhdr.metrics import METRICS, evaluate
from openhdr.models import MODELS
from openhdr.models.inference.one_photo import expand_image
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.inference.three_frames import reconstruct
from openhdr.train.distributed import DistributedContext, gathered_objects
from openhdr.train.recipe import Recipe
from openhdr.train.sources import Source
from openhdr.train.sources.patches import held_out_scenes
from openhdr.train.sources.simulated import held_out_files

Reconstruct = Callable[[Sample], np.ndarray]


@dataclass(frozen=True)
class Validation:
    """Held-out samples and how they are scored. what: a line that says which they are."""

    recipe: Recipe
    samples: Sequence[Sample]
    what: str
    device: torch.device

    @property
    def metrics(self) -> tuple[str, ...]:
        config = self.recipe.validation
        return tuple(dict.fromkeys((config.metric, *config.also)))

    def scores(self, net: nn.Module, context: DistributedContext) -> dict[str, float]:
        """Mean scores of a network; the processes share the samples."""
        return self._means(lambda sample: self.reconstruction(net, sample), context)

    def scores_of_reference(self, context: DistributedContext) -> dict[str, float]:
        """Mean scores of the reference frame alone, decoded: what a network must beat."""
        return self._means(_reference_light, context)

    def reconstruction(self, net: nn.Module, sample: Sample) -> np.ndarray:
        """(H, W, 3) float32 linear light, 1.0 = the reference clips."""
        options = RunOptions(device=str(self.device), augment=self.recipe.validation.augment)
        task = MODELS[self.recipe.network.name].task
        if task == "consistency":
            return _merged(net, sample, self.device)
        if task == "stops":
            return _expanded(net, sample, self.device)
        if task == "merge":
            return reconstruct(net, list(sample.light()), exposures_of(sample), sample.reference, options)
        return expand_image(net, _reference_light(sample), options).linear

    def truth(self, number: int) -> np.ndarray:
        """(H, W, 3) linear light that the result of a sample is scored against."""
        return self.recipe.objective.truth(self.samples[number])

    def pictures(self, net: nn.Module) -> dict[str, np.ndarray]:
        """Result beside truth of the first samples, sRGB-coded, (H, 2 W, 3)."""
        shown = {}
        for number, sample in enumerate(self.samples[: self.recipe.run.images]):
            pair = (self.reconstruction(net, sample), self.truth(number))
            shown[sample.name] = np.concatenate([display(light) for light in pair], axis=1)
        return shown

    def better(self, one: float, other: float | None) -> bool:
        """Whether score `one` beats `other` (None = nothing yet)."""
        if other is None:
            return True
        return one > other if METRICS[self.recipe.validation.metric].higher_is_better else one < other

    def _means(self, make: Reconstruct, context: DistributedContext) -> dict[str, float]:
        config, mine = self.recipe.validation, {}
        for number in range(context.rank, len(self.samples), context.size):
            sample = self.samples[number]
            light, truth = make(sample), self.truth(number)
            if config.scale == "shortest":
                top = np.float32(2.0 ** -min(sample.ev or (0.0,)))
                light, truth = (np.clip(one / top, 0, 1) for one in (light, truth))
            mine[number] = evaluate(light, truth, self.metrics, protocol=config.protocol or None)
        every = {number: found for part in gathered_objects(mine) for number, found in part.items()}
        return {
            name: float(np.mean([every[number][name] for number in range(len(self.samples))]))
            for name in self.metrics
        }


def check_held_out(recipe: Recipe) -> None:
    """Raise OpenHDRError when validation is asked for and its scenes are not there. Nothing is read or prepared."""
    folder = recipe.validation.path or recipe.data.path
    if not recipe.validation.every or not folder:
        return
    if recipe.data.source == "patches":
        held_out_scenes(recipe.data, Path(folder))
    else:
        held_out_files(Path(folder))


def open_validation(recipe: Recipe, source: Source[Any], device: torch.device) -> Validation | None:
    """The validation that a recipe asks for; None where it asks for none."""
    config = recipe.validation
    if not config.every:
        return None
    if config.samples < 1:
        raise RequestError(f"recipe key 'validation.samples' is {config.samples}; expected 1 or more")
    for name in (config.metric, *config.also):
        if METRICS[name].needs_protocol and not config.protocol:
            raise RequestError(
                f"metric '{name}' needs absolute light, which training data do not state; say what 1.0 is to mean "
                'in the recipe, such as validation.protocol = "abs:100"'
            )
    samples, what = source.validation(config)
    return Validation(recipe, samples, what, device)


def display(light: np.ndarray) -> np.ndarray:
    """(H, W, 3) linear light -> sRGB codes 0..1 after x / (1 + x), which shows what is above 1 too."""
    return srgb_encode(light / (1 + light)).astype(np.float32)


def _merged(net: nn.Module, sample: Sample, device: torch.device) -> np.ndarray:
    """The light of openhdr's own merger with the network's two parts in it."""
    from openhdr.merging.trustnet.merger import Networks, TrustNet  # needs ONNX Runtime
    from openhdr.models import trustnet
    from openhdr.train.trustnet_sample import compare_sample

    assert isinstance(net, trustnet.TrustNet)

    @torch.inference_mode()
    def decide(frames: np.ndarray, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        consistency, factor = net.decide(*(torch.from_numpy(one).to(device) for one in (frames, shared)))
        return consistency.cpu().numpy(), factor.cpu().numpy()

    @torch.inference_mode()
    def refine(seen: np.ndarray) -> np.ndarray:
        return net.refine(torch.from_numpy(seen).to(device)).cpu().numpy()

    merger = TrustNet("trained", Networks(decide, refine))
    registered = merger.decide(compare_sample(sample))
    return merger.refine(registered, merger.merge(registered)).pixels


def _expanded(net: nn.Module, sample: Sample, device: torch.device) -> np.ndarray:
    """The light of openhdr's own expansion of the decoded reference, with the network in it."""
    from openhdr.expansion.photo import photo_of
    from openhdr.expansion.trustnet_single import trustnet_single  # needs ONNX Runtime

    @torch.inference_mode()
    def stops(seen: np.ndarray) -> np.ndarray:
        found: np.ndarray = net(torch.from_numpy(seen).to(device)).cpu().numpy()
        return found

    photo = photo_of(Image(_reference_light(sample), "linear"), parse("linear"))
    return trustnet_single(photo, network=stops)


def _reference_light(sample: Sample) -> np.ndarray:
    return sample.light()[sample.reference]
