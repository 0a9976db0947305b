"""Train `openhdr expand --method trustnet-single` on photos of panoramas that are exposed anew every time.

    .venv/bin/python scripts/train_single.py HDRI_FOLDER -o single.safetensors --minutes 60

Needs torch. `scripts/ship_own.py` puts the weights into the package. Scenes that are held out stay out. From every
panorama 96 views are drawn once and kept as light. A photo is a crop of a view, mirrored, tinted and with a little
more or less contrast by chance, of which 3 to 50 % of the pixels clip; a third went through JPEG, a quarter has
another response than sRGB. Photos stay in a pool for a while and come back mirrored and with colours exchanged:
making one takes as long as learning from one. AdamW minimises the mean over photos of the error in dB of PU21 values,
1.0 = 100 cd/m2; what is kept is a running mean of the weights. The time, not a number of steps, says when it ends.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import click
import cv2
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
from openhdr.expansion.rise import border_slope, held_together, rise_limit
from openhdr.expansion.trustnet_single import TrustNetSingleOptions, lost_cells, network_input, read
from openhdr.metrics.pu21 import BRIGHTEST, DARKEST, PARAMETERS, PEAK
from openhdr.models import checkpoints
from openhdr.models.trustnet_single import TrustNetSingle
from openhdr.simulation import sensor
from openhdr.simulation.config import ObjectConfig, SimulationConfig, ViewConfig
from openhdr.simulation.distributions import LogUniform, Mixture, Normal, Uniform
from openhdr.simulation.draw_plan import draw_plan
from openhdr.simulation.render import photograph
from openhdr.simulation.scene import Scene

LONG, SHORT = 384, 256  # pixels of a view
SHAPES = {(256, 384): 0.5, (288, 384): 0.25, (384, 384): 0.15, (384, 256): 0.1}  # of a photo, and how often
TRIES = (6, 6, 2, 3, 6, 6, 3, 1)  # views of which the one with the widest range is kept
UPRIGHT, TILTED, WITH_OBJECTS = (2,), (3, 6), (5,)  # views, of eight
DARKEST_STOPS = -14.0  # of light that is kept
CLIPPED = Mixture(0.5, LogUniform(0.03, 0.4), Uniform(0.1, 0.5))  # share of a photo's pixels
LEAST_CLIPPED = 0.02  # share of pixels; with less there is nothing to learn
SHOT = LogUniform(3e-5, 5e-4)  # variance of noise at 1.0
JPEG_SHARE, JPEG_QUALITY, SIGMOID_SHARE = 0.35, Uniform(60, 100), 0.25
CAST, CONTRAST = Normal(0, 0.22), Normal(0, 0.06)  # stops of each channel; logarithm of a power
PIXELS, POOL, FRESH, FIRST, PHOTOS = (
    3072,
    3000,
    4,
    96,
    16,
)  # of a photo; photos in the pool, new ones a step ...
DISPLAY = 100.0  # cd/m2 of 1.0
GREY_WEIGHT = 1.0  # dB per squared stop that the channels of a fully clipped pixel lie apart
FLOOR = 3e-5  # error of what is not clipped, in the unit of the squared peak


@dataclass(frozen=True)
class Sample:
    """One photo: what the network sees (11, h, w), how much its cells count (1, h, w); of pixels at places (N, 2), as
    (x, y) in -1..1, the bound on stops, true light and what is lost (N, 3); share of pixels that the N stand for.
    """

    seen: np.ndarray
    counts: np.ndarray
    places: np.ndarray
    bound: np.ndarray
    truth: np.ndarray
    lost: np.ndarray
    share: np.float32


def trainable(folder: Path) -> list[Scene]:
    """The folder's scenes without those that are held out by name or content."""
    files = find_hdr_files([folder])
    kept = [path for path in files if not held_out_in([path.stem], [sha256_of(path)])]
    click.echo(f"{len(kept)} of {len(files)} scenes; the others are held out", err=True)
    return [read_scene(path, SimulationConfig()) for path in kept]


def view_of(scenes: list[Scene], index: int, number: int) -> np.ndarray:
    """(H, W, 3) float16: log2 light of view `number` of a scene; in some of them a thing stands."""
    kind = number % len(TRIES)
    pitch = Normal(4, 16) if kind in TILTED else Normal(3, 11)
    config = SimulationConfig(
        size=(SHORT, LONG) if kind in UPRIGHT else (LONG, SHORT),
        nominal_width=SHORT if kind in UPRIGHT else LONG,
        view=ViewConfig(field_of_view_deg=Uniform(30, 95), pitch_deg=pitch, tries=TRIES[kind]),
        objects=ObjectConfig(still_share=0.0 if kind in WITH_OBJECTS else 1.0),
    )
    rng = np.random.default_rng([index, number])
    others = [scenes[i] for i in rng.integers(0, len(scenes), 3)]
    plan = draw_plan(scenes[index], others, config, 1000 * index + number)
    _, light = photograph(replace(plan, frames=plan.frames[:0], reference=0), [scenes[index], *others])
    return np.log2(np.maximum(light, 2**DARKEST_STOPS)).astype(np.float16)


def photo(view: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a view, exposed: codes (H, W, 3) uint8 and true light."""
    light = changed(view, rng)
    light /= np.float32(max(np.quantile(light[::3, ::3].max(axis=2), 1 - CLIPPED.draw(rng)), 1e-6))
    variance = np.float32(SHOT.draw(rng)) * np.minimum(light, 2) + np.float32(1e-7)
    recorded = np.clip(light + np.sqrt(variance) * rng.standard_normal(light.shape, np.float32), 0, 1)
    bends = rng.random() < SIGMOID_SHARE
    response = f"sigmoid:{Normal(0.9, 0.1).draw(rng)}:{Normal(0.6, 0.1).draw(rng)}" if bends else "srgb"
    code = np.rint(sensor.encode(recorded, response) * 255).astype(np.uint8)
    if rng.random() < JPEG_SHARE:
        code = sensor.compress(code, int(JPEG_QUALITY.draw(rng)))
    return code, light


def changed(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) float32 light of a crop of a view: brought to one of SHAPES, mirrored, tinted, of another contrast."""
    height, width = list(SHAPES)[rng.choice(len(SHAPES), p=list(SHAPES.values()))]
    scale = min(view.shape[0] / height, view.shape[1] / width) * rng.uniform(0.78, 1)
    rows, columns = round(height * scale), round(width * scale)
    top, left = rng.integers(0, view.shape[0] - rows + 1), rng.integers(0, view.shape[1] - columns + 1)
    light = np.exp2(view[top : top + rows, left : left + columns].astype(np.float32))
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        light = light[:, ::-1]
    cast = np.exp2([CAST.draw(rng) for _ in range(3)])
    light = np.maximum(light * (cast / cast[1]).astype(np.float32), np.float32(1e-6))
    return light ** np.float32(np.exp(CONTRAST.draw(rng)))


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
    limit = np.minimum(rise_limit(overview, slope), np.float32(TrustNetSingleOptions().most_stops))
    seen = network_input(overview, slope)
    places = [(2 * index + 1) / length - 1 for index, length in zip(at, photo.shape, strict=True)]
    return Sample(
        seen.astype(np.float16),
        lost_cells(overview, seen)[None],
        np.stack(places[::-1], 1).astype(np.float32),
        held_together(read(limit, photo.shape, at), photo.linear[at], photo.lost[at]),
        truth[at],
        photo.lost[at],
        np.float32(share),
    )


class Pool:
    """The last photos of every shape. A step brings new ones and takes a batch of one shape."""

    def __init__(self, views: list[np.ndarray], seed: int) -> None:
        self.views, self.rng = views, np.random.default_rng(seed)
        self.samples: dict[tuple[int, ...], list[Sample]] = {}
        self.add(FIRST)

    def add(self, count: int) -> None:
        while count:
            view = self.views[self.rng.integers(len(self.views))]
            sample = sampled(*photo(view, self.rng), self.rng)
            if sample is not None:
                alike = self.samples.setdefault(sample.seen.shape, [])
                alike.append(sample)
                del alike[:-POOL]
                count -= 1

    def batch(self) -> Sample:
        """PHOTOS samples of one shape, varied, as tensors."""
        self.add(FRESH)
        groups = [group for group in self.samples.values() if len(group) >= PHOTOS]
        share = np.array([len(group) for group in groups], float)
        group = groups[self.rng.choice(len(groups), p=share / share.sum())]
        chosen = self.rng.choice(len(group), PHOTOS, replace=False)
        return stacked([varied(group[i], self.rng) for i in chosen])


def stacked(samples: list[Sample]) -> Sample:
    """Tensors (B, ...) of the samples' arrays."""
    names = [field.name for field in fields(Sample)]
    return Sample(*(torch.from_numpy(np.stack([getattr(one, name) for one in samples])) for name in names))


def varied(sample: Sample, rng: np.random.Generator) -> Sample:
    """Half of its pixels, mirrored or with colours exchanged by chance."""
    some = rng.permutation(PIXELS)[: PIXELS // 2]
    seen, counts, places = sample.seen.astype(np.float32), sample.counts, sample.places[some]
    colours = [part[some] for part in (sample.bound, sample.truth, sample.lost)]
    if rng.random() < 0.5:
        seen, counts = seen[..., ::-1].copy(), counts[..., ::-1].copy()
        places = places * np.array([-1, 1], np.float32)
    if rng.random() < 0.25:
        order = rng.permutation(3)
        seen = np.concatenate((seen[order], seen[3 + order], seen[6:]))
        colours = [part[:, order] for part in colours]
    return Sample(seen, counts, places, *colours, sample.share)


def pu21(light: torch.Tensor) -> torch.Tensor:
    """`openhdr.metrics.pu21` for tensors, 1.0 = DISPLAY."""
    p1, p2, p3, p4, p5, p6, p7 = PARAMETERS
    power = (light * DISPLAY).clamp(DARKEST, BRIGHTEST) ** p4
    return p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6)


def loss_of(network: TrustNetSingle, batch: Sample) -> torch.Tensor:
    """Mean error over photos in dB, with the pull towards grey."""
    with torch.autocast("cpu", torch.bfloat16):
        stops = network(batch.seen.contiguous(memory_format=torch.channels_last))
    maps = torch.cat((stops.float() * batch.counts, batch.counts), 1)
    found = F.grid_sample(maps, batch.places[:, None], padding_mode="border", align_corners=False)
    found = found[:, :, 0].transpose(1, 2)
    stops = batch.bound * -torch.expm1(-found[..., :3] / found[..., 3:] / batch.bound)
    error = (pu21(torch.exp2(stops)) - pu21(batch.truth)).square() * batch.lost
    decibel = 10 * torch.log10(error.mean((1, 2)) * batch.share / PEAK**2 + FLOOR)
    apart = (stops - stops.mean(2, keepdim=True)).square() * batch.lost.all(2, keepdim=True)
    return decibel.mean() + GREY_WEIGHT * apart.mean()


def train(pool: Pool, seed: int, minutes: float) -> TrustNetSingle:
    """A running mean of the weights of a network that learns for so long."""
    torch.manual_seed(seed)
    network = TrustNetSingle().to(memory_format=torch.channels_last)
    mean = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.99), weight_decay=0.05)
    for step, share in enumerate(shares_of(minutes), 1):
        rate = 2e-3 * min(1, step / 60) * (0.5 + 0.5 * math.cos(math.pi * max(0, share - 0.1) / 0.9))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(network, pool.batch())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 20.0)
        optimiser.step()
        with torch.no_grad():
            for now, kept in zip(network.parameters(), mean.parameters(), strict=True):
                kept.lerp_(now, 1 - min(0.995, step / (step + 10)))
        if step % 50 == 0:
            click.echo(f"step {step}: {-loss.item():.2f} dB", err=True)
    return mean


def shares_of(minutes: float) -> Iterator[float]:
    """The share of the time that has passed, 0..1, as long as there is some."""
    begun = time.monotonic()
    while (share := (time.monotonic() - begun) / (60 * minutes)) < 1:
        yield share


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path))
@click.option("--views", default=96, show_default=True, help="Views a panorama.")
@click.option("--minutes", default=60.0, show_default=True, help="Of learning.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, output: Path, views: int, minutes: float, seed: int) -> None:
    """Draw views of the panoramas in FOLDER, train on photos of them, write weights."""
    scenes = trainable(folder)
    drawn = []
    for index, scene in enumerate(scenes):
        drawn += [view_of(scenes, index, number) for number in range(views)]
        click.echo(f"{scene.name}: {len(drawn)} views so far", err=True)
    network = train(Pool(drawn, seed), seed, minutes)
    checkpoints.save(network, "trustnet-single", output)


if __name__ == "__main__":
    main()
