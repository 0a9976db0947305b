"""Batches of brackets drawn on the accelerator: the simulation in short.

A processor draws some brackets a second, a GPU thousands: panoramas lie in its memory, and all samples of a batch are
drawn at once. As in `simulation`: views of panoramas with detail where they are enlarged, hand shake, things that move,
photon and read noise, clipping, 8-bit codes. A share of the brackets (data.real_share) has a camera's curve, crushed
blacks and noise that denoising left in lumps. Not drawn: lens faults, local tone mapping, JPEG, motion blur.
Frames come decoded by their own curve, as a network gets them. Validation is that of `simulated`.

What step number n gets depends on the seed and n alone, on one kind of device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from torch.nn import functional as F

from openhdr.camera.noise import Sensor
from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.core.errors import RequestError
from openhdr.data.sample import Sample
from openhdr.models.layers.codes import linear_to_srgb, srgb_to_linear
from openhdr.simulation.config import EV_PATTERNS
from openhdr.train.objectives.contract import Batch
from openhdr.train.recipe import DataConfig, ValidationConfig
from openhdr.train.sources.simulated import SimulatedSource, open_simulated, scene_of

HEIGHT = 512  # rows of every panorama in memory
OVERVIEW = 48  # samples of a view on a side, by which its exposure is set
THINGS_MOST = 2  # at most so many move
STILL = 0.3  # share of brackets where nothing does
TRIPOD = 0.1  # share of brackets that no hand held
FRAMES = 3
ROUGHEST = 0.3  # stops between neighbours in a panorama: edges are not texture


@dataclass(frozen=True)
class DrawnSource:
    """Batches by the number of their first sample. simulated: where validation and the panoramas come from."""

    simulated: SimulatedSource
    config: DataConfig
    seed: int
    _there: dict[torch.device, torch.Tensor] = field(default_factory=dict, repr=False, compare=False)

    @property
    def epoch(self) -> int:
        return self.simulated.epoch

    def sample(self, index: int) -> Sample:
        raise RequestError('data.source = "drawn" has batches, no single samples')

    def validation(self, config: ValidationConfig) -> tuple[list[Sample], str]:
        return self.simulated.validation(config)

    @cached_property
    def panoramas(self) -> torch.Tensor:
        """(S, 3, 512, 1024) float16: light of the panoramas, each divided by its median."""
        scenes = self.simulated.scenes
        found = []
        for number in range(scenes.samples):
            scene = scene_of(scenes, number)
            if scene.kind == "panorama":
                light = torch.from_numpy(scene.texture.pixels()).float().permute(2, 0, 1)[None]
                light = F.interpolate(light, size=(HEIGHT, 2 * HEIGHT), mode="area")
                found.append((light / light.median().clamp(min=1e-6)).clamp(max=6e4).half())
        if not found:
            raise RequestError('the packed scenes hold no panorama; data.source = "drawn" needs some')
        return torch.cat(found)

    def batch(self, first: int, count: int, device: torch.device) -> Batch:
        """frames (B, 3, 3, H, W) gamma-coded, ev (B, 3), truth (B, 3, H, W): samples `first` to `first + count`."""
        if device not in self._there:
            self._there[device] = self.panoramas.to(device)
        draw = torch.Generator(device).manual_seed(self.seed * 1_000_003 + first)
        with torch.no_grad():
            return Drawing(self._there[device], self.config, count, draw).bracket()


@dataclass(frozen=True)
class Drawing:
    """One batch that is being drawn."""

    panoramas: torch.Tensor
    config: DataConfig
    count: int
    draw: torch.Generator

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """(B, *shape) of low..high."""
        drawn = torch.rand(self.count, *shape, generator=self.draw, device=self.draw.device)
        return low + (high - low) * drawn

    def log_uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.exp(self.uniform(math.log(low), math.log(high), *shape))

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(self.count, *shape, generator=self.draw, device=self.draw.device)

    def chosen(self, number: int) -> torch.Tensor:
        """(B,) of 0 to number - 1."""
        return torch.randint(number, (self.count,), generator=self.draw, device=self.draw.device)

    def bracket(self) -> Batch:
        side, device = self.config.patch, self.draw.device
        view = Views.drawn(self)
        overview = view.light(self.grid(OVERVIEW, view.width / OVERVIEW)).amax(1).flatten(1)
        clipped = self.log_uniform(*self.config.clip_share)
        rank = ((1 - clipped) * (overview.shape[1] - 1)).long()
        anchor = overview.sort(1).values.gather(1, rank[:, None]).clamp(min=1e-6)
        patterns = torch.tensor(EV_PATTERNS, device=device)
        ev = patterns[self.chosen(len(patterns))]
        points = self.grid(side, 1.0) + self.uniform(-0.5, 0.5, 2)[:, :, None, None] * (view.width - side)
        things = [Things.drawn(self, anchor) for _ in range(THINGS_MOST)]
        camera = Cameras.drawn(self)
        frames = []
        truth = points.new_zeros(())
        for number in range(FRAMES):
            at = points if number == 1 else self.shaken(points)
            light = view.light(at) / anchor[..., None, None]
            for thing in things:
                light = thing.cover(light, at - points.mean((2, 3), keepdim=True), number)
            if number == 1:
                truth = light
            frames.append(camera.photo(self, light * torch.exp2(ev[:, number])[:, None, None, None]))
        coded = torch.stack(frames, 1) ** (1 / NETWORK_GAMMA)
        return {"frames": coded, "ev": ev, "truth": truth ** (1 / NETWORK_GAMMA)}

    def grid(self, side: int, step: float | torch.Tensor) -> torch.Tensor:
        """(B, 2, side, side): x and y of pixels about the middle of a view."""
        axis = torch.arange(side, device=self.draw.device) - (side - 1) / 2
        plane = torch.stack(torch.meshgrid(axis, axis, indexing="xy"))[None]
        return plane.expand(self.count, -1, -1, -1) * step

    def shaken(self, points: torch.Tensor) -> torch.Tensor:
        """Where the pixels of another frame lie in the reference."""
        least, most = (0.02, 0.7) if self.config.registered else (0.3, 12.0)
        held = (self.uniform(0, 1, 1, 1, 1) > TRIPOD).float()
        angle = self.uniform(0, 2 * math.pi)
        shift = self.log_uniform(least, most)[:, None] * torch.stack((angle.cos(), angle.sin()), 1)
        turn = torch.deg2rad((0.02 if self.config.registered else 0.5) * self.normal(1, 1))
        zoom = torch.exp2((0.0003 if self.config.registered else 0.006) * self.normal(1, 1))
        x, y = points.unbind(1)
        turned = torch.stack((x - turn * y, turn * x + y), 1) * zoom[:, None] + shift[..., None, None]
        return points + held * (turned - points)


@dataclass(frozen=True)
class Views:
    """Cameras in panoramas. focal: (B,) pixels. turn: (B, 3, 3), camera's axes -> the panorama's."""

    panoramas: torch.Tensor
    scene: torch.Tensor
    focal: torch.Tensor
    turn: torch.Tensor
    width: int
    detail: torch.Tensor

    @classmethod
    def drawn(cls, draw: Drawing, focal: torch.Tensor | None = None) -> Views:
        enlarged = draw.log_uniform(1.0, 2.5)
        texel = math.pi / HEIGHT
        yaw, pitch = draw.uniform(-math.pi, math.pi), torch.deg2rad(14 * draw.normal())
        roll = torch.deg2rad(2 * draw.normal())
        zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

        def matrix(*rows: torch.Tensor) -> torch.Tensor:
            return torch.stack(rows, 1).view(-1, 3, 3)

        about_up = matrix(yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos())
        about_right = matrix(one, zero, zero, zero, pitch.cos(), -pitch.sin(), zero, pitch.sin(), pitch.cos())
        about_axis = matrix(roll.cos(), -roll.sin(), zero, roll.sin(), roll.cos(), zero, zero, zero, one)
        real = (draw.uniform(0, 1) < draw.config.real_share).float()
        return cls(
            draw.panoramas,
            draw.chosen(len(draw.panoramas)),
            enlarged / texel if focal is None else focal,
            about_up @ about_right @ about_axis,
            max(draw.config.view, draw.config.patch),
            real * draw.uniform(0.1, 0.5),
        )

    def light(self, points: torch.Tensor) -> torch.Tensor:
        """(B, 2, h, w) pixels from the middle -> (B, 3, h, w) light of the panorama, bilinear."""
        x, y = points.unbind(1)
        rays = torch.stack((x, y, self.focal[:, None, None].expand_as(x)), -1)
        rays = torch.einsum("bij,bhwj->bhwi", self.turn, rays)
        across = torch.atan2(rays[..., 0], rays[..., 2]) / (2 * math.pi) + 0.5  # 0..1
        down = torch.atan2(rays[..., 1], rays[..., ::2].norm(dim=-1)) / math.pi + 0.5
        height, width = self.panoramas.shape[-2:]
        column, row = across * width - 0.5, (down * height - 0.5).clamp(0, height - 1)
        left, top = column.floor(), row.floor().clamp(max=height - 2)
        share_x, share_y = (column - left)[..., None], (row - top)[..., None]
        left, top = left.long(), top.long()
        scene = self.scene[:, None, None].expand_as(left)

        def texel(dy: int, dx: int) -> torch.Tensor:
            return self.panoramas[scene, :, top + dy, (left + dx) % width].float()

        corners = [texel(dy, dx) for dy in range(2) for dx in range(2)]
        upper = corners[0] * (1 - share_x) + corners[1] * share_x
        lower = corners[2] * (1 - share_x) + corners[3] * share_x
        light = (upper * (1 - share_y) + lower * share_y).permute(0, 3, 1, 2)
        stops = torch.stack(corners).mean(-1).clamp(min=1e-6).log2()
        rough = (stops.amax(0) - stops.amin(0)).clamp(max=ROUGHEST)  # skies stay clear
        return light * torch.exp2(self.detail[:, None, None] * rough * texture(x, y))[:, None]


def texture(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Stops of fine texture at pixels, the same wherever a frame looks from: waves of no common period."""
    waves = ((1.9, 0.7), (-0.8, 1.6), (1.1, -1.3), (0.4, 0.9), (-1.2, -0.5))
    phases = [torch.sin(a * x + b * y + 2 * torch.sin(0.13 * b * x - 0.17 * a * y)) for a, b in waves]
    return torch.stack(phases).sum(0)


@dataclass(frozen=True)
class Things:
    """What moves: a round, uneven outline that shows another panorama. place: (B, 2), step: (B, 2) pixels a frame."""

    surface: Views
    gain: torch.Tensor
    place: torch.Tensor
    step: torch.Tensor
    size: torch.Tensor
    swell: torch.Tensor
    there: torch.Tensor

    @classmethod
    def drawn(cls, draw: Drawing, anchor: torch.Tensor) -> Things:
        side = draw.config.patch
        surface = Views.drawn(draw)
        middle = surface.light(draw.grid(4, side / 8)).mean(1).flatten(1).median(1).values
        level = torch.where(
            draw.uniform(0, 1) < 0.85, draw.log_uniform(0.02, 0.6), draw.log_uniform(0.6, 4.0)
        )
        angle = draw.uniform(0, 2 * math.pi)
        speed = draw.log_uniform(1.0, 40.0)
        return cls(
            surface,
            level / middle.clamp(min=1e-4),
            draw.uniform(-0.5, 0.5, 2) * side,
            speed[:, None] * torch.stack((angle.cos(), 0.3 * angle.sin()), 1),
            draw.log_uniform(0.08, 0.5) * side,
            draw.normal(6),
            (draw.uniform(0, 1) > STILL**0.5).float(),
        )

    def cover(self, light: torch.Tensor, points: torch.Tensor, number: int) -> torch.Tensor:
        """(B, 3, h, w) light of frame `number` with it in front. points: pixels about the patch's middle."""
        own = points - (self.place + (number - 1) * self.step)[..., None, None]
        x, y = own.unbind(1)
        angle, distance = torch.atan2(y, x), own.norm(dim=1)
        waves = [
            self.swell[:, k, None, None]
            * torch.cos((k + 2) * angle + 3 * self.swell[:, k - 1, None, None])
            / (k + 3)
            for k in range(self.swell.shape[1])
        ]
        outline = self.size[:, None, None] * (1 + 0.5 * torch.stack(waves).sum(0)).clamp(min=0.2)
        alpha = ((outline - distance) / 2 + 0.5).clamp(0, 1) * self.there[:, None, None]
        shown = self.surface.light(own) * self.gain[:, None, None, None]
        return light + alpha[:, None] * (shown - light)


@dataclass(frozen=True)
class Cameras:
    """shot, read: of the noise. real: 1 = codes below black are 0, curve (1 + bend) x^power / (bend + x^power)."""

    shot: torch.Tensor
    read: torch.Tensor
    real: torch.Tensor
    black: torch.Tensor
    power: torch.Tensor
    bend: torch.Tensor

    @classmethod
    def drawn(cls, draw: Drawing) -> Cameras:
        sensor, gain = Sensor(), draw.log_uniform(1.0, 16.0, 1, 1, 1)
        electrons = sensor.full_well_e / gain
        read = torch.sqrt(sensor.read_front_e**2 + (sensor.read_back_e / gain) ** 2) / electrons
        return cls(
            1 / electrons,
            read,
            (draw.uniform(0, 1, 1, 1, 1) < draw.config.real_share).float(),
            draw.uniform(0, 4, 1, 1, 1) / 255,
            (0.9 + 0.1 * draw.normal(1, 1, 1)).clamp(0.6, 1.2),
            (0.6 + 0.1 * draw.normal(1, 1, 1)).clamp(0.2, 1.2),
        )

    def photo(self, draw: Drawing, light: torch.Tensor) -> torch.Tensor:
        """Light behind the lens, 1.0 = clips -> what the photo's codes say of it, 0..1."""
        light = light.clamp(0, 4)
        noise = torch.sqrt(self.shot * light + self.read**2) * draw.normal(*light.shape[1:])
        smooth = F.avg_pool2d(noise, 3, 1, 1) * 1.5
        seen = (light + noise + self.real * (smooth - noise)).clamp(0, 1)
        srgb = linear_to_srgb(seen)
        raised = seen**self.power
        style = (1 + self.bend) * raised / (self.bend + raised)
        code = srgb + self.real * (style - srgb)
        code = (torch.where(code < self.real * self.black, 0, code) * 255).round() / 255
        decoded = srgb_to_linear(code)
        styled = (self.bend * code / (1 + self.bend - code)) ** (1 / self.power)
        return decoded + self.real * (styled - decoded)


def open_drawn(config: DataConfig, seed: int, cache: Path) -> DrawnSource:
    """Batches of a folder of HDR panoramas, or of a cache that was made of them; see `open_simulated`."""
    return DrawnSource(open_simulated(config, seed, cache), config, seed)
