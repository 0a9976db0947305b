"""Running a one-photo network on photos of any size within a bound of memory.

`two-stage` reaches only 17 pixels: it runs tile by tile and gives what it gives on the whole photo; so do `expandnet`,
whose global branch sees the whole photo first, and `hdrunet`, in larger parts. Light of a network with a scale of its
own is put on the photo's by the median ratio where the photo is well exposed.

`stack-itm` looks at the whole photo at every level (means of channels, channel attention), and its dilated
attention was made for images of a sixth of a megapixel. A larger photo is shown to it at WORK_PIXELS; then the
predicted changes of code and the masks are enlarged, and the exposures are fused at full size, so that all
detail that the photo recorded is kept. There are no tiles and no seams.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from openhdr.color.transfer import NETWORK_GAMMA, srgb_encode
from openhdr.core.errors import RequestError
from openhdr.core.progress import task
from openhdr.models.inference.device import (
    arithmetic,
    multiplies_bfloat16,
    on_device,
    threads_of,
    tile_pixels,
)
from openhdr.models.inference.expanded import Expanded, PredictedExposure
from openhdr.models.inference.run_options import RunOptions
from openhdr.models.inference.tiling import TICKS, Tiled, windows
from openhdr.models.layers.blocks import resize
from openhdr.models.layers.codes import linear_to_srgb, srgb_to_linear
from openhdr.models.layers.exposure_fusion import VIEW, apply_curve, exposure_stops, merge_exposures
from openhdr.models.layers.measured import keep_measured
from openhdr.models.layers.steps import OnePhotoNetwork
from openhdr.models.stack_itm import StackITM

WORK_PIXELS = 150_000
"""Size at which stack-itm sees a larger photo: that of the 384 x 384 pixels that its paper trains on. What it knows of
a clipped area it knows from what lies around it: the shipped weights see as much at 100,000 pixels as at 240,000."""

STRIP_ROWS = 256  # rows fused at a time

FAINT = 2e-3  # light added before ratios are taken, so that black has one

POSES: tuple[tuple[tuple[int, ...], bool], ...] = (((), False), ((), True), ((1,), False), ((0,), False))
"""Views for test-time augmentation: axes that are flipped, whether rows and columns are swapped."""

WELL_EXPOSED = (0.05, 0.8)  # light, 1.0 = the photo clips


def expand_image(
    net: nn.Module,
    linear: np.ndarray,
    options: RunOptions = RunOptions(),
    keep_stack: bool = False,
) -> Expanded:
    """HDR image of one photo by a one-photo network.

    net: as `openhdr.models.load` gives it. linear: (H, W, 3) float32 RGB, 1.0 = the photo clips (clipped here
    to 0..1). keep_stack: return the exposures and masks that the network predicts, too.
    """
    if linear.ndim != 3 or linear.shape[2] != 3:
        raise RequestError(f"photo has shape {linear.shape}; expected (height, width, 3)")
    if not np.isfinite(linear).all():
        raise RequestError("the photo holds values that are not finite; expected numbers in 0..1")
    if options.precision == "auto" and multiplies_bfloat16(options):
        options = replace(options, precision="bfloat16")
    ready = on_device(net, options)
    with torch.inference_mode(), arithmetic(options):
        whole = partial(_expand, ready, options=options)
        if not options.augment:
            return whole(linear, keep_stack=keep_stack)
        coded = np.zeros_like(linear, dtype=np.float32)
        for axes, turned in POSES:
            view = np.ascontiguousarray(np.flip(linear.transpose(1, 0, 2) if turned else linear, axes))
            made = np.flip(whole(view).linear, axes)
            coded += (made.transpose(1, 0, 2) if turned else made) ** np.float32(1 / NETWORK_GAMMA) / len(
                POSES
            )
        first = whole(linear, keep_stack=True) if keep_stack else Expanded(coded)
        return replace(first, linear=coded ** np.float32(NETWORK_GAMMA))


def _expand(net: nn.Module, linear: np.ndarray, options: RunOptions, keep_stack: bool = False) -> Expanded:
    """One view of a photo."""
    if isinstance(net, StackITM):
        return _expand_by_stack(net, linear, keep_stack)
    return Expanded(_expand_by_tiles(net, linear, options))


def _to_tensor(code: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    """(H, W, 3) -> (1, 3, H, W) of the network's type and device."""
    return torch.from_numpy(code).permute(2, 0, 1)[None].to(like, memory_format=torch.channels_last)


def _to_array(image: torch.Tensor) -> np.ndarray:
    """(1, 3, H, W) -> (H, W, 3) float32."""
    return np.ascontiguousarray(image[0].permute(1, 2, 0).float().cpu().numpy())


def _expand_by_tiles(net: nn.Module, linear: np.ndarray, options: RunOptions) -> np.ndarray:
    """`linear` of a network whose output depends on near pixels only, global branches apart."""
    network, like = cast(OnePhotoNetwork, net), next(net.parameters())
    light = np.clip(linear, 0, 1).astype(np.float32, copy=False)
    srgb = network.encoding == "srgb"
    photo = _to_tensor(
        srgb_encode(light).astype(np.float32) if srgb else np.power(light, np.float32(1 / NETWORK_GAMMA)),
        like,
    )
    threads, pixels, size = threads_of(options), tile_pixels(options), light.shape[:2]
    parts = windows(size, (network.part, network.part), network.margin) if network.part else []
    result = np.empty_like(light)
    with (
        task("expanding", TICKS * network.steps + len(parts)) as advance,
        Tiled(threads, pixels, advance, TICKS, partial(arithmetic, options)) as local,
    ):
        for window in parts:
            top, bottom, left, right = window.seen()
            made = _to_array(cast(torch.Tensor, net(photo[..., top:bottom, left:right])))
            rows, columns = (
                slice(window.top - top, window.bottom - top),
                slice(window.left - left, window.right - left),
            )
            result[window.top : window.bottom, window.left : window.right] = made[rows, columns]
            advance()
        if not parts:
            result = _to_array(net(photo, local=local))
    if network.output == "gamma":
        result = np.power(np.maximum(result, 0), np.float32(NETWORK_GAMMA))
    if network.own_scale:
        known = ((light > WELL_EXPOSED[0]) & (light < WELL_EXPOSED[1]) & (result > 0)).all(axis=2)
        result *= np.float32(np.median(light[known] / result[known])) if known.any() else np.float32(1)
    return result


def _expand_by_stack(net: StackITM, linear: np.ndarray, keep_stack: bool) -> Expanded:
    """What stack-itm makes of a photo, at full size."""
    like = next(net.parameters())
    code = srgb_encode(np.clip(linear, 0, 1)).astype(np.float32)
    height, width = code.shape[:2]
    shrink = min(1.0, (WORK_PIXELS / (height * width)) ** 0.5)
    photo = _to_tensor(code, like)
    small = resize(photo, (max(round(height * shrink), 1), max(round(width * shrink), 1)))
    with task("expanding", 2) as advance:
        parts = net(small, return_parts=True, view=resize(photo, (VIEW, VIEW)))
        del photo
        advance()
        full = _Enlarged.of(parts, small)
        result = _fuse(net, parts, full, code)
        advance()
    if not keep_stack:
        return Expanded(result)
    ev = exposure_stops(parts["exposure_up"], small, parts["exposure_down"])[0].tolist()
    up, down = (_exposures(full, code, name) for name in ("up", "down"))
    stack = (PredictedExposure("up", up, ev[0]), PredictedExposure("down", down, ev[1]))
    masks = full.part("masks", 0, height, code.shape) if "masks" in parts else None
    return Expanded(result, stack, None if masks is None else _to_array(masks))


@dataclass(frozen=True)
class _Enlarged:
    """Maps of the working size, read at full size a strip of rows at a time."""

    maps: dict[
        str, torch.Tensor
    ]  # log ratios of light of `up` and of `down` to the photo, `masks`: (1, 3, h, w)

    @classmethod
    def of(cls, parts: dict[str, torch.Tensor], small: torch.Tensor) -> _Enlarged:
        photo = torch.log(srgb_to_linear(small.float()) + FAINT)
        maps = {
            name: torch.log(srgb_to_linear(parts[f"exposure_{name}"].float()) + FAINT) - photo
            for name in ("up", "down")
        }
        if "masks" in parts:
            maps["masks"] = parts["masks"]
        return cls(maps)

    def part(self, name: str, top: int, bottom: int, shape: tuple[int, ...]) -> torch.Tensor:
        """(1, 3, bottom - top, W): bilinear, as if the whole map were enlarged to `shape` (H, W, 3)."""
        source = self.maps[name].float()
        if source.shape[-2:] == shape[:2]:
            return source[..., top:bottom, :]
        rows = source.shape[-2]
        y = ((torch.arange(top, bottom, device=source.device) + 0.5) * rows / shape[0] - 0.5).clamp(
            0, rows - 1
        )
        above = y.floor().long().clamp(max=max(rows - 2, 0))
        share = (y - above)[:, None]
        strip = source[..., above, :] * (1 - share) + source[..., (above + 1).clamp(max=rows - 1), :] * share
        return F.interpolate(strip, size=(bottom - top, shape[1]), mode="bilinear", align_corners=False)

    def exposure(self, name: str, photo: torch.Tensor, top: int, shape: tuple[int, ...]) -> torch.Tensor:
        """Rows from `top` on of `up` or `down`, codes 0..1. photo: (1, 3, rows, W) codes of these rows."""
        ratio = torch.exp(self.part(name, top, top + photo.shape[2], shape))
        return linear_to_srgb(((srgb_to_linear(photo) + FAINT) * ratio - FAINT).clamp(0, 1))


def _strips(height: int) -> list[tuple[int, int]]:
    return [(top, min(top + STRIP_ROWS, height)) for top in range(0, height, STRIP_ROWS)]


def _fuse(net: StackITM, parts: dict[str, torch.Tensor], full: _Enlarged, code: np.ndarray) -> np.ndarray:
    """The exposures fused at full size, (H, W, 3) float32."""
    result = np.empty_like(code)
    for top, bottom in _strips(len(code)):
        photo = _to_tensor(code[top:bottom], full.maps["up"]).float()
        up, down = (full.exposure(name, photo, top, code.shape) for name in ("up", "down"))
        if net.config.fusion == "learned":
            masks = full.part("masks", top, bottom, code.shape).split(1, 1)
            fused = sum(mask * one for mask, one in zip(masks, (up, photo, down), strict=True))
            strip = apply_curve(fused, parts["curve"].float())
        else:
            strip = merge_exposures(up, photo, down, parts["ev"].float())
        if net.config.measured == "kept":
            strip = keep_measured(srgb_to_linear(photo), strip)
        result[top:bottom] = _to_array(strip)
    return result


def _exposures(full: _Enlarged, code: np.ndarray, name: str) -> np.ndarray:
    """A predicted exposure at full size: (H, W, 3) float32 codes 0..1."""
    result = np.empty_like(code)
    for top, bottom in _strips(len(code)):
        photo = _to_tensor(code[top:bottom], full.maps[name]).float()
        result[top:bottom] = _to_array(full.exposure(name, photo, top, code.shape))
    return result
