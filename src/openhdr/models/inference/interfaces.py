"""What goes into the file of an exported network and what comes out, by the network's task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch

from openhdr.models.trustnet import FRAME_CHANNELS, MERGED_CHANNELS, SHARED_CHANNELS
from openhdr.models.trustnet_single import FEATURES

Sizes = Mapping[str, int]
"""Name of a dynamic axis -> its length."""

TRACED: Sizes = MappingProxyType({"height": 53, "width": 75})
CHECKED: tuple[Sizes, ...] = (
    MappingProxyType({"height": 48, "width": 72}),
    MappingProxyType({"height": 100, "width": 91}),
)


@dataclass(frozen=True)
class Interface:
    """What goes into a network's file and what comes out.

    inputs, outputs: names, for every argument of `forward` and every result in their order, with those of its
    axes whose length is free. example: lengths by name -> tensors to trace or to check with. meaning: of every
    input and output; it is written into the file.
    """

    inputs: Mapping[str, Mapping[int, str]]
    outputs: Mapping[str, Mapping[int, str]]
    example: Callable[[Sizes], tuple[torch.Tensor, ...]]
    meaning: Mapping[str, str]
    traced: Sizes = field(default_factory=lambda: TRACED)
    checked: tuple[Sizes, ...] = CHECKED


def _three_frames(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    return _drawn(1, 3, 3, sizes["height"], sizes["width"]), torch.tensor([[-2.0, 0.0, 2.0]])


def _one_photo(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    return (_drawn(1, 3, sizes["height"], sizes["width"]),)


def _features(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    draw, size = torch.Generator().manual_seed(1), (sizes["height"], sizes["width"])
    frames = torch.rand(sizes["frames"], FRAME_CHANNELS, *size, generator=draw)
    return frames, torch.rand(SHARED_CHANNELS, *size, generator=draw)


def _merged(sizes: Sizes) -> tuple[torch.Tensor, ...]:
    return (_drawn(1, MERGED_CHANNELS, sizes["height"], sizes["width"]),)


def _drawn(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


WHOLE = ""  # the part that is the network itself

INTERFACES: Mapping[str, Mapping[str, Interface]] = MappingProxyType(
    {
        "merge": {
            WHOLE: Interface(
                {"frames": {3: "height", 4: "width"}, "ev": {}},
                {"hdr": {2: "height", 3: "width"}},
                _three_frames,
                {
                    "frames": "(1, 3, 3, H, W) RGB 0..1, light ^ (1 / 2.24), short, medium, long exposure",
                    "ev": "(1, 3) stops; a frame of EV 0 clips at 1",
                    "hdr": "(1, 3, H, W) RGB, light ^ (1 / 2.24), 1 = a frame of EV 0 clips",
                },
            )
        },
        "expand": {
            WHOLE: Interface(
                {"image": {2: "height", 3: "width"}},
                {"hdr": {2: "height", 3: "width"}},
                _one_photo,
                {
                    "image": "(1, 3, H, W) RGB 0..1 in the network's encoding",
                    "hdr": "(1, 3, H, W) RGB, 1 = the photo clips",
                },
            )
        },
        "consistency": {
            "decide": Interface(
                {"frames": {0: "frames", 2: "height", 3: "width"}, "shared": {1: "height", 2: "width"}},
                {"trust": {0: "frames", 1: "height", 2: "width"}, "factor": {1: "height", 2: "width"}},
                _features,
                {
                    "frames": "(K, 13, H, W), of the frames beside the reference: "
                    "openhdr.merging.trustnet.features; H and W multiples of 16",
                    "shared": "(11, H, W): openhdr.merging.trustnet.features",
                    "trust": "(K, H, W) 0..1: consistency with the reference",
                    "factor": "(3, H, W), of the hole fill",
                },
                {"frames": 2, "height": 64, "width": 96},
                ({"frames": 1, "height": 48, "width": 64}, {"frames": 4, "height": 96, "width": 80}),
            ),
            "refine": Interface(
                {"seen": {2: "height", 3: "width"}},
                {"change": {2: "half_height", 3: "half_width"}},
                _merged,
                {
                    "seen": "(1, 8, H, W): openhdr.merging.trustnet.refinement; H and W multiples of 8",
                    "change": "(1, 12, H / 2, W / 2), of which openhdr.merging.trustnet.refinement makes light",
                },
                {"height": 64, "width": 96},
                ({"height": 48, "width": 72}, {"height": 96, "width": 80}),
            ),
        },
        "stops": {
            WHOLE: Interface(
                {"seen": {0: "photos", 2: "height", 3: "width"}},
                {"stops": {0: "photos", 2: "height", 3: "width"}},
                lambda sizes: (_drawn(sizes["photos"], FEATURES, sizes["height"], sizes["width"]),),
                {
                    "seen": "(B, 11, H, W): openhdr.expansion.trustnet_single; H and W multiples of 32",
                    "stops": "(B, 3, H, W), above the clipping level, >= 0",
                },
                {"photos": 2, "height": 96, "width": 128},
                ({"photos": 1, "height": 64, "width": 96}, {"photos": 3, "height": 160, "width": 32}),
            )
        },
    }
)
"""By task, then by the part of the network that a file holds."""
