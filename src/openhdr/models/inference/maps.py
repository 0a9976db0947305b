"""What a network looks at: aligned frames, attention maps, masks, features, as pictures by name.

Maps of many channels are shown as their mean; attention is 0..1 as it is, features over their 99th percentile.
The network runs on the whole image at once, at most MOST_PIXELS of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from openhdr.color.transfer import NETWORK_GAMMA, srgb_encode
from openhdr.core.errors import RequestError
from openhdr.models import MODELS
from openhdr.models.inference.selection import choose_three
from openhdr.models.layers.codes import align_exposure

MOST_PIXELS = 600_000
SHOWN = (
    "SpatialAttention",
    "FeatureAlignment",
    "PyramidAlignment",
    "SingleAlignment",
    "Denoiser",
    "SpatialGate",
)
"""Classes of layers whose output is shown; those called several times are counted."""
BRIGHT = 99  # percentile of features that is shown as white


def maps_of(
    name: str, net: nn.Module, light: Sequence[np.ndarray], ev: Sequence[float], reference: int
) -> dict[str, np.ndarray]:
    """Pictures (h, w) or (h, w, 3) float32 0..1 by name, for display.

    name: row of the network. light: N photos (H, W, 3) float32 linear 0..1, 1.0 = that photo clips. ev: (N,) stops.
    reference: index of the photo that a one-photo network is shown, or whose geometry is kept.
    """
    if MODELS[name].inside:
        raise RequestError(f"'{name}' is a part of openhdr's own method; maps are of networks of papers")
    found: dict[str, list[Any]] = {}

    def note(layer: str) -> Any:
        def keep(module: nn.Module, inputs: Any, output: Any) -> None:
            found.setdefault(layer, []).extend(output if isinstance(output, tuple | list) else [output])

        return keep

    hooks = [
        module.register_forward_hook(note(path))
        for path, module in net.named_modules()
        if type(module).__name__ in SHOWN
    ]
    like = next(net.parameters())
    try:
        with torch.inference_mode():
            pictures = run_shown(name, net, light, ev, reference, like)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, outputs in found.items():
        for number, output in enumerate(outputs):
            suffix = f"-{number + 1}" if len(outputs) > 1 else ""
            pictures[f"{layer.replace('.', '-')}{suffix}"] = output
    shown = {key: _picture(value) for key, value in pictures.items()}
    return {key: value for key, value in shown.items() if value is not None}


def run_shown(
    name: str,
    net: nn.Module,
    light: Sequence[np.ndarray],
    ev: Sequence[float],
    reference: int,
    like: torch.Tensor,
) -> dict[str, Any]:
    """Run the network; what it was given and the parts that it names."""
    photos = [_small(one) for one in light]
    if MODELS[name].task == "expand":
        photo = photos[reference]
        srgb = getattr(net, "encoding", "srgb") == "srgb"
        code = srgb_encode(photo) if srgb else photo ** (1 / NETWORK_GAMMA)
        image = torch.from_numpy(code.astype(np.float32)).permute(2, 0, 1)[None].to(like)
        parts: Mapping[str, Any] = net(image, return_parts=True)
        return {"photo": image} | flattened(parts)
    chosen = choose_three(ev, reference)
    codes = np.stack([photos[k] for k in chosen]) ** np.float32(1 / NETWORK_GAMMA)
    frames = torch.from_numpy(codes).permute(0, 3, 1, 2)[None].to(like)
    stops = torch.tensor([[float(ev[k] - ev[chosen[1]]) for k in chosen]], device=like.device)
    aligned = align_exposure(frames, stops).clamp(0, 1)[0]
    out = net(frames, stops - stops[:, :1] if net.bounded else stops)
    return {
        "aligned-short": aligned[0:1],
        "aligned-medium": aligned[1:2],
        "aligned-long": aligned[2:3],
        "out": out,
    }


def flattened(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors of nested parts by dashed names."""
    flat: dict[str, Any] = {}
    for key, value in parts.items():
        if isinstance(value, tuple | list):
            flat |= flattened({f"{key}-{number + 1}": one for number, one in enumerate(value)})
        else:
            flat[key] = value
    return flat


def _small(photo: np.ndarray) -> np.ndarray:
    shrink = min(1.0, (MOST_PIXELS / (photo.shape[0] * photo.shape[1])) ** 0.5)
    photo = np.clip(photo, 0, 1).astype(np.float32, copy=False)
    if shrink == 1:
        return photo
    size = (max(1, round(photo.shape[1] * shrink)), max(1, round(photo.shape[0] * shrink)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def _picture(value: Any) -> np.ndarray | None:
    """A tensor (1, C, h, w) as a picture; None for what is none."""
    if not isinstance(value, torch.Tensor) or value.ndim != 4 or min(value.shape[-2:]) < 2:
        return None
    array = value[0].float().cpu().numpy()
    if len(array) == 3:
        return np.ascontiguousarray(np.clip(array, 0, 1).transpose(1, 2, 0))
    mean = np.abs(array).mean(axis=0)
    inside = float(array.min()) >= 0 and float(array.max()) <= 1
    return np.clip(mean if inside else mean / max(float(np.percentile(mean, BRIGHT)), 1e-9), 0, 1)
