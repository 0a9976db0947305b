"""Fit `openhdr expand --method regression` to simulated photos of panoramas and write its numbers.

    .venv/bin/python scripts/fit_expansion.py HDRI_FOLDER -o src/openhdr/expansion/regression.npz

Needs torch. Scenes that are held out stay out. Photos are drawn from every panorama, two exposures of a view,
with 3 to 45 % of their pixels clipped; a third went through JPEG, some show moving objects, a colour cast or
another response than sRGB. From each, 1200 clipped pixels are kept. A member of the ensemble is fitted by AdamW
to the mean over photos of the error in dB of PU21 values, 1.0 = 100 cd/m2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from openhdr.camera.response import analytic
from openhdr.core.files import sha256_of
from openhdr.core.image import Image
from openhdr.data.scenes import find_hdr_files, read_scene
from openhdr.data.splits import held_out_in
from openhdr.expansion.overview import overview_of
from openhdr.expansion.photo import photo_of
from openhdr.expansion.regression import (
    OWN_FEATURES,
    VIEW_FEATURES,
    RegressionOptions,
    coarse_view,
    own_features,
    place_maps,
    read,
)
from openhdr.expansion.rise import border_slope, held_together, rise_limit
from openhdr.metrics.pu21 import BRIGHTEST, DARKEST, PARAMETERS, PEAK
from openhdr.simulation import sensor
from openhdr.simulation.config import ExposureConfig, ObjectConfig, SimulationConfig
from openhdr.simulation.distributions import LogUniform, Normal, Uniform
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import Scene

WIDTHS, CONTEXT, HIDDEN = (16, 24, 32, 32), 12, 24
PIXELS, PIXELS_A_STEP, PHOTOS_A_STEP = 1200, 256, 16
COLOURED = ((0, 3, 6, 18), (0, 3))  # where colours start in the features of a place, and of the coarse view
MOST_CLIPPED = Uniform(0.03, 0.45)  # of a view's second exposure
LEAST_CLIPPED = 0.02  # share of pixels; with less there is nothing to learn
DISPLAY = 100.0  # cd/m2 of 1.0
GREY_WEIGHT = 1.0  # dB per squared stop that the channels of a fully clipped pixel lie apart
FLOOR = 3e-5  # error of what is not clipped, in the unit of the squared peak


@dataclass(frozen=True)
class Sample:
    """One photo: coarse view (h, w, 10), own features (N, 21), places (N, 2) as (y, x) in -1..1, bound on stops,
    true light and what is lost (N, 3), share of pixels that the N stand for.
    """

    view: np.ndarray
    own: np.ndarray
    places: np.ndarray
    bound: np.ndarray
    truth: np.ndarray
    lost: np.ndarray
    share: np.float32


class Member(nn.Module):
    """The regression as `openhdr.expansion.regression` computes it, for fitting."""

    def __init__(self) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")

        a, b, c, d = WIDTHS
        self.down = nn.ModuleList((conv(VIEW_FEATURES, a), conv(a, b), conv(b, c), conv(c, d)))
        self.whole = nn.Linear(d, d)
        self.up = nn.ModuleList((conv(d + c, c), conv(c + b, b), conv(b + a, CONTEXT)))
        widths = (CONTEXT + OWN_FEATURES, HIDDEN, HIDDEN, 3)
        self.pixel = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.forget = nn.Dropout2d(0.05)
        self.forget_whole = nn.Dropout(0.2)

    def forward(self, view: torch.Tensor, own: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """(B, 10, h, w), (B, N, 21), (B, N, 2) -> (B, N, 3) stops, not yet bounded."""
        x, skips = F.avg_pool2d(view, 2), []
        for level, layer in enumerate(self.down):
            x = self.forget(F.relu(layer(x)))
            if level < 3:
                skips.append(x)
                x = F.avg_pool2d(x, 2)
        x = x + self.forget_whole(F.relu(self.whole(x.mean((2, 3)))))[:, :, None, None]
        for layer in self.up:
            x = F.relu(layer(torch.cat((F.interpolate(x, scale_factor=2, mode="nearest"), skips.pop()), 1)))
        at = places.flip(-1)[:, None]
        near = F.grid_sample(x, at, mode="bilinear", padding_mode="border", align_corners=False)
        x = torch.cat((near[:, :, 0].transpose(1, 2), own), 2)
        for layer in self.pixel[:-1]:
            x = F.relu(layer(x))
        return F.softplus(self.pixel[-1](x))

    def layers(self) -> dict[str, np.ndarray]:
        """Arrays by the names of `regression.npz`, half precision."""
        arrays = {"whole.weight": self.whole.weight.T, "whole.bias": self.whole.bias}
        for name, group in (("down", self.down), ("up", self.up), ("pixel", self.pixel)):
            for index, layer in enumerate(group):
                weight = layer.weight if name == "pixel" else layer.weight.permute(0, 2, 3, 1).flatten(1)
                arrays |= {f"{name}{index}.weight": weight.T, f"{name}{index}.bias": layer.bias}
        return {name: array.detach().numpy().astype(np.float16) for name, array in arrays.items()}


def simulation(view: int) -> SimulationConfig:
    """What view number `view` of a panorama is drawn from."""
    plain = SimulationConfig()
    camera = replace(plain.camera, jpeg_share=0.35, jpeg_quality=Uniform(60, 100))
    config = replace(
        plain,
        objects=ObjectConfig(still_share=0.0 if view % 8 == 5 else 1.0),
        exposure=ExposureConfig(clip_share=LogUniform(0.03, 0.35) if view % 2 else LogUniform(0.10, 0.45)),
        camera=camera,
    )
    kind = view % 8
    if kind == 2:
        upright = replace(config.view, field_of_view_deg=Uniform(30, 60))
        return replace(config, size=(384, 576), view=upright)
    if kind in (3, 6):
        tilted = replace(config.view, pitch_deg=Normal(4, 14), field_of_view_deg=Uniform(35, 95))
        camera = replace(camera, cast_stops=Normal(0, 0.2), responses=("srgb", "srgb", "sigmoid"))
        return replace(config, camera=camera, view=tilted)
    if kind == 7:
        return replace(config, view=replace(config.view, tries=2, pitch_deg=Normal(2, 12)))
    return config


def photos(scenes: list[Scene], index: int, view: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Two exposures of one view: codes (H, W, 3) uint8 and true light."""
    seed = 1000 * index + view
    rng = np.random.default_rng(seed)
    others = [scenes[i] for i in rng.integers(0, len(scenes), 3)]
    plan = draw_plan(scenes[index], others, simulation(view), seed)
    alone = replace(plan, frames=(plan.frames[plan.reference],), reference=0)
    (code,), truth = photograph(alone, [scenes[index], *others])
    yield code, truth
    brightest = truth[::4, ::4].max(axis=2)
    truth = truth / np.float32(max(np.quantile(brightest, 1 - MOST_CLIPPED.draw(rng)), 1e-6))
    taken = sensor.expose(truth.reshape(-1, 3).T.astype(np.float64), plan.camera, rng)
    code = np.ascontiguousarray(taken.T.reshape(truth.shape))
    quality = plan.camera.jpeg_quality
    yield (sensor.compress(code, quality) if quality else code), truth


def sampled(code: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> Sample | None:
    """One photo's sample; None where hardly anything clips."""
    photo = photo_of(Image(code, "srgb"), analytic("srgb"))
    rows, columns = np.nonzero(photo.lost_anywhere)
    share = len(rows) / photo.lost_anywhere.size
    if share < LEAST_CLIPPED:
        return None
    chosen = rng.integers(0, len(rows), PIXELS)
    at = rows[chosen], columns[chosen]
    overview = overview_of(photo)
    slope = border_slope(overview)
    limit = read(rise_limit(overview, slope), photo.shape, at)
    places = [(2 * index + 1) / length - 1 for index, length in zip(at, photo.shape, strict=True)]
    return Sample(
        coarse_view(overview),
        own_features(photo, place_maps(overview, slope), at),
        np.stack(places, 1).astype(np.float32),
        held_together(np.minimum(limit, RegressionOptions().most_stops), photo.linear[at], photo.lost[at]),
        truth[at],
        photo.lost[at],
        np.float32(share),
    )


def varied(sample: Sample, rng: np.random.Generator) -> Sample:
    """A few of its pixels, mirrored or with colours exchanged by chance."""
    some = rng.integers(0, PIXELS, PIXELS_A_STEP)
    view, own, places = sample.view, sample.own[some], sample.places[some]
    colours = [part[some] for part in (sample.bound, sample.truth, sample.lost)]
    if rng.random() < 0.5:
        view, places = view[:, ::-1], places * np.array([1, -1], np.float32)
    if rng.random() < 0.4:
        order = rng.permutation(3)
        own, view = (exchanged(part, at, order) for part, at in zip((own, view), COLOURED, strict=True))
        colours = [part[:, order] for part in colours]
    return Sample(np.ascontiguousarray(view), own, places, *colours, sample.share)


def exchanged(features: np.ndarray, starts: tuple[int, ...], order: np.ndarray) -> np.ndarray:
    """(..., C) with the three channels from each of `starts` on in another order."""
    columns = np.arange(features.shape[-1])
    for start in starts:
        columns[start : start + 3] = start + order
    return features[..., columns]


def pu21(light: torch.Tensor) -> torch.Tensor:
    """`openhdr.metrics.pu21` for tensors, 1.0 = DISPLAY."""
    p1, p2, p3, p4, p5, p6, p7 = PARAMETERS
    power = (light * DISPLAY).clamp(DARKEST, BRIGHTEST) ** p4
    return p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6)


def loss_of(member: Member, samples: list[Sample]) -> torch.Tensor:
    """Mean error over photos in dB, with the pull towards grey."""

    def stack(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(sample, name) for sample in samples]))

    stops = member(stack("view").permute(0, 3, 1, 2), stack("own"), stack("places"))
    bound, lost = stack("bound"), stack("lost")
    stops = bound * -torch.expm1(-stops / bound)
    error = (pu21(torch.exp2(stops)) - pu21(stack("truth"))).square() * lost
    decibel = 10 * torch.log10(error.mean((1, 2)) * stack("share") / PEAK**2 + FLOOR)
    apart = (stops - stops.mean(2, keepdim=True)).square() * lost.all(2, keepdim=True)
    return decibel.mean() + GREY_WEIGHT * apart.mean()


def fit(samples: list[Sample], seed: int, steps: int) -> Member:
    """One member of the ensemble."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    groups: dict[tuple[int, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.view.shape, []).append(sample)
    shapes = list(groups)
    share = np.array([len(groups[shape]) for shape in shapes]) / len(samples)
    member = Member()
    optimiser = torch.optim.AdamW(member.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps)
    for step in range(steps):
        group = groups[shapes[rng.choice(len(shapes), p=share)]]
        chosen = [varied(group[i], rng) for i in rng.integers(0, len(group), PHOTOS_A_STEP)]
        loss = loss_of(member, chosen)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(member.parameters(), 20.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            click.echo(f"member {seed}, step {step + 1}: {-loss.item():.2f} dB", err=True)
    return member


def trainable(folder: Path) -> list[Scene]:
    """The folder's scenes without those that are held out by name or content."""
    files = find_hdr_files([folder])
    kept = [path for path in files if not held_out_in([path.stem], [sha256_of(path)])]
    click.echo(f"{len(kept)} of {len(files)} scenes; the others are held out", err=True)
    return [read_scene(path, SimulationConfig()) for path in kept]


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--views", default=34, show_default=True, help="Views a panorama, two photos each.")
@click.option("--members", default=3, show_default=True)
@click.option("--steps", default=2500, show_default=True)
def main(folder: Path, output: Path, views: int, members: int, steps: int) -> None:
    """Draw photos of the panoramas in FOLDER, fit, write."""
    scenes = trainable(folder)
    samples = []
    for index, scene in enumerate(scenes):
        for view in range(views):
            rng = np.random.default_rng(1000 * index + view)
            drawn = [sampled(*photo, rng) for photo in photos(scenes, index, view)]
            samples += [sample for sample in drawn if sample is not None]
        click.echo(f"{scene.name}: {len(samples)} photos so far", err=True)
    arrays = {}
    for seed in range(members):
        arrays |= {f"{seed}.{name}": array for name, array in fit(samples, seed, steps).layers().items()}
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    main()
