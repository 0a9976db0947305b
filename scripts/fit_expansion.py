"""Fit `openhdr expand --method regression` to simulated photos of panoramas and write its numbers.

    .venv/bin/python scripts/fit_expansion.py HDRI_FOLDER -o src/openhdr/expansion/regression.npz

Needs torch. Photos are drawn from every panorama, with 3 to 45 % of their pixels clipped; from each, 3000 clipped
pixels are kept. A member of the ensemble is fitted by AdamW for 2000 steps of 16 photos to the mean over photos of
the error in dB of PU21 values, 1.0 = 100 cd/m2. The shipped numbers come from this procedure with other seeds
(1938 photos of 50 panoramas; one member with GREY_WEIGHT 2). An hour on two cores
for 48 views a panorama and three members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from openhdr.camera.response import analytic
from openhdr.camera.simulation.config import ExposureConfig, ObjectConfig, SimulationConfig
from openhdr.camera.simulation.distributions import LogUniform, Normal, Uniform
from openhdr.camera.simulation.draw import draw_plan
from openhdr.camera.simulation.render import photograph
from openhdr.core.image import Image
from openhdr.data.scenes import find_hdr_files, read_scene
from openhdr.expansion.photo import photo_of
from openhdr.expansion.regression import coarse_view, own_features, place_maps
from openhdr.metrics.pu21 import BRIGHTEST, DARKEST, PARAMETERS, PEAK

WIDTHS, CONTEXT, HIDDEN = (16, 24, 32, 32), 12, 24
VIEW_CHANNELS, OWN_CHANNELS = 10, 13
PIXELS, PIXELS_A_STEP, PHOTOS_A_STEP = 3000, 400, 16
DISPLAY = 100.0  # cd/m2 of 1.0
GREY_WEIGHT = 1.0  # dB per squared stop that the channels of a fully clipped pixel lie apart
FLOOR = 3e-5  # error of what is not clipped, in the unit of the squared peak


@dataclass(frozen=True)
class Sample:
    """One photo: coarse view (h, w, 10), own features (N, 13), places (N, 2) as (y, x) in -1..1, true light and
    what is lost (N, 3), share of pixels that the N stand for.
    """

    view: np.ndarray
    own: np.ndarray
    places: np.ndarray
    truth: np.ndarray
    lost: np.ndarray
    share: float


class Member(nn.Module):
    """The regression as `openhdr.expansion.regression` computes it, for fitting."""

    def __init__(self) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")

        a, b, c, d = WIDTHS
        self.down = nn.ModuleList((conv(VIEW_CHANNELS, a), conv(a, b), conv(b, c), conv(c, d)))
        self.whole = nn.Linear(d, d)
        self.up = nn.ModuleList((conv(d + c, c), conv(c + b, b), conv(b + a, CONTEXT)))
        widths = (CONTEXT + OWN_CHANNELS, HIDDEN, HIDDEN, 3)
        self.pixel = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.forget = nn.Dropout2d(0.05)
        self.forget_whole = nn.Dropout(0.2)

    def forward(self, view: torch.Tensor, own: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """(B, 10, h, w), (B, N, 13), (B, N, 2) -> (B, N, 3) stops."""
        x, skips = view, []
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


def laws(view: int) -> SimulationConfig:
    """What view number `view` of a panorama is drawn from: lying and upright, with and without a colour cast."""
    clip_share = LogUniform(0.03, 0.35) if view % 2 else LogUniform(0.10, 0.45)
    config = replace(
        SimulationConfig(),
        objects=ObjectConfig(still_share=1.0),
        exposure=ExposureConfig(clip_share=clip_share),
    )
    if view % 8 in (2, 3):
        upright = replace(config.view, field_of_view_deg=Uniform(35, 60))
        return replace(config, size=(384, 576), view=upright)
    if view % 8 in (6, 7):
        tilted = replace(config.view, pitch_deg=Normal(4, 14), field_of_view_deg=Uniform(35, 95))
        return replace(config, camera=replace(config.camera, cast_stops=Normal(0, 0.2)), view=tilted)
    return config


def draw(scene_path: Path, view: int, seed: int) -> Sample | None:
    """One photo's sample; None where hardly anything clips."""
    config = laws(view)
    scene = read_scene(scene_path, config)
    plan = draw_plan(scene, [scene], config, seed)
    frames, truth = photograph(plan, [scene])
    photo = photo_of(Image(frames[plan.reference], "srgb"), analytic("srgb"))
    rows, columns = np.nonzero(photo.lost_anywhere)
    share = len(rows) / photo.lost_anywhere.size
    if share < 0.03:
        return None
    chosen = np.random.default_rng(seed).integers(0, len(rows), PIXELS)
    at = rows[chosen], columns[chosen]
    places = [(2 * index + 1) / length - 1 for index, length in zip(at, photo.shape, strict=True)]
    own = own_features(photo, place_maps(photo), at)
    return Sample(
        coarse_view(photo), own, np.stack(places, 1).astype(np.float32), truth[at], photo.lost[at], share
    )


def varied(sample: Sample, rng: np.random.Generator) -> Sample:
    """A few of its pixels, mirrored or with colours exchanged by chance."""
    some = rng.integers(0, PIXELS, PIXELS_A_STEP)
    view, own, places = sample.view, sample.own[some], sample.places[some].copy()
    truth, lost = sample.truth[some], sample.lost[some]
    if rng.random() < 0.5:
        view, places[:, 1] = view[:, ::-1], -places[:, 1]
    if rng.random() < 0.4:
        order = rng.permutation(3)
        threes = np.concatenate((order, 3 + order))
        view = np.dstack((view[..., threes], view[..., 6:]))
        own = np.concatenate((own[:, np.concatenate((threes, 6 + order))], own[:, 9:]), 1)
        truth, lost = truth[:, order], lost[:, order]
    return Sample(np.ascontiguousarray(view), own, places, truth, lost, sample.share)


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
    lost = stack("lost")
    error = (pu21(torch.exp2(stops.clamp(max=7))) - pu21(stack("truth"))).square() * lost
    share = torch.tensor([sample.share for sample in samples])
    decibel = 10 * torch.log10(error.mean((1, 2)) * share / PEAK**2 + FLOOR)
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


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--views", default=48, show_default=True, help="Photos a panorama.")
@click.option("--members", default=3, show_default=True)
@click.option("--steps", default=2000, show_default=True)
def main(folder: Path, output: Path, views: int, members: int, steps: int) -> None:
    """Draw photos of the panoramas in FOLDER, fit, write."""
    samples = []
    for number, path in enumerate(find_hdr_files([folder])):
        drawn = [draw(path, view, 1000 * number + view) for view in range(views)]
        samples += [sample for sample in drawn if sample is not None]
        click.echo(f"{path.stem}: {len(samples)} photos so far", err=True)
    arrays = {}
    for seed in range(members):
        arrays |= {f"{seed}.{name}": array for name, array in fit(samples, seed, steps).layers().items()}
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    main()
