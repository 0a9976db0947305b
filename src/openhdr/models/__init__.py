"""Networks that make HDR images, one file each, and how to get one with weights.

layers/              what networks are made of; `steps` has the Protocols of what they offer to their runners
inference/           networks on photos of any size, and as ONNX files
checkpoints, rows    files of weights; rows of the tables
cost                 parameters, operations and memory of a network
weights/             the weights that come with openhdr

A network's class, beside being a torch module, has

    Config               frozen dataclass of its options (the ablation variants of its paper)
    __init__(config)     untrained
    from_authors(state)  the authors' tensors {name: tensor} under our names, or None: not their layout

A network for brackets is a `ThreeFrameNetwork`, one for a photo a `OnePhotoNetwork`. Those of `trustnet` and
`trustnet_single` work inside openhdr's own methods, which run them without torch (`openhdr.merging.trustnet`,
`openhdr.expansion.trustnet_single`).
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from openhdr.core.errors import RequestError
from openhdr.core.table import Table
from openhdr.models.rows import ModelRow
from openhdr.models.weights import WEIGHTS

if TYPE_CHECKING:
    from torch import nn


MODELS = Table(
    "network",
    ModelRow(
        "trustnet",
        "openhdr's own merger: finds what moved, merges by physics, takes out noise",
        "openhdr.models.trustnet:TrustNet",
        task="consistency",
        frames=(2, 9),
        paper="ours",
        params=157_324,
        gmacs=12.72,
    ),
    ModelRow(
        "trustnet-tiny",
        "the same with a smaller first network",
        "openhdr.models.trustnet:TrustNet",
        task="consistency",
        frames=(2, 9),
        paper="ours",
        params=62_418,
        gmacs=7.55,
        variant=MappingProxyType({"decide": (8, 10, 16, 24)}),
    ),
    ModelRow(
        "trustnet-single",
        "openhdr's own expansion of one photo: how bright clipped light is, by the whole photo",
        "openhdr.models.trustnet_single:TrustNetSingle",
        task="stops",
        frames=1,
        paper="ours",
        params=1_211_660,
        gmacs=0.98,
    ),
    ModelRow(
        "ahdrnet",
        "attention-guided merging, the baseline of the challenges",
        "openhdr.models.ahdrnet:AHDRNet",
        paper="Yan et al., Attention-guided network for ghost-free HDR imaging, CVPR 2019",
        params=1_441_283,
        gmacs=2916.92,
    ),
    ModelRow(
        "adnet",
        "spatial attention and pyramid deformable alignment",
        "openhdr.models.adnet:ADNet",
        paper="Liu et al., ADNet: Attention-guided deformable convolutional network, CVPRW 2021",
        params=2_956_483,
        gmacs=6249.43,
    ),
    ModelRow(
        "gsanet",
        "gamma-enhanced groups with spatial and channel attention, the smallest",
        "openhdr.models.gsanet:GSANet",
        paper="Li et al., Gamma-enhanced spatial attention network, CVPRW 2022",
        params=80_647,
        gmacs=199.39,
    ),
    ModelRow(
        "eapnet",
        "attention, feature alignment and four progressive U-shaped blocks",
        "openhdr.models.eapnet:EAPNet",
        paper="Yu et al., Efficient progressive HDR restoration via attention and alignment, CVPRW 2022",
        params=575_683,
        gmacs=199.11,
    ),
    ModelRow(
        "eapnet-light",
        "the lightweight EAPNet: three blocks, bilinear upsampling",
        "openhdr.models.eapnet:EAPNet",
        paper="Yu et al., Efficient progressive HDR restoration via attention and alignment, CVPRW 2022",
        params=393_555,
        gmacs=146.30,
        variant=MappingProxyType({"blocks": 3, "alignment": "full", "transposed": False}),
    ),
    ModelRow(
        "two-stage",
        "one photo: enhancement, then tone mapping and bit expansion",
        "openhdr.models.two_stage:TwoStage",
        task="expand",
        frames=1,
        paper="Sharif et al., A two-stage deep network for HDR image reconstruction, CVPRW 2021",
        params=834_476,
        gmacs=1680.63,
    ),
    ModelRow(
        "stack-itm",
        "one photo: a longer and a shorter exposure are predicted, then fused",
        "openhdr.models.stack_itm:StackITM",
        task="expand",
        frames=1,
        predicts_exposures=True,
        paper="Zhang et al., Revisiting the stack-based inverse tone mapping, CVPR 2023",
        params=6_930_393,
        gmacs=674.70,
    ),
    ModelRow(
        "safnet",
        "selective alignment: flow and masks at half size, then a refined merge",
        "openhdr.models.safnet:SAFNet",
        paper="Kong et al., SAFNet: Selective alignment fusion network for efficient HDR imaging, ECCV 2024",
        params=1_120_849,
        gmacs=1305.13,
        exported=False,
        recipe=False,
    ),
    ModelRow(
        "expandnet",
        "one photo: local, dilated and global branches",
        "openhdr.models.expandnet:ExpandNet",
        task="expand",
        frames=1,
        paper="Marnerides et al., ExpandNet, Computer Graphics Forum 2018",
        params=456_899,
        gmacs=412.83,
        recipe=False,
    ),
    ModelRow(
        "hdrunet",
        "one photo: a U-Net modulated by conditions, and a mask of the photo",
        "openhdr.models.hdrunet:HDRUNet",
        task="expand",
        frames=1,
        paper="Chen et al., HDRUNet: Single image HDR reconstruction with denoising and dequantization, CVPRW 2021",
        params=1_651_494,
        gmacs=719.22,
        recipe=False,
    ),
)


def load(name: str, weights: str | Path | None = None, **variant: Any) -> nn.Module:
    """A network in evaluation mode.

    name: a row of `MODELS`. weights: a row of `WEIGHTS`, or a file (.safetensors, .pth, .pt) in our layout or
    the authors' own (their GSANet weights are for BGR and are turned to RGB), or None for an untrained
    network. variant: options of the network's `Config`. Raises RequestError for unknown names or options,
    FileError for a file that does not fit or is damaged.

    >>> import openhdr, torch
    >>> net = openhdr.models.load("gsanet", weights="gsanet")
    >>> frames, ev = torch.rand(1, 3, 3, 16, 16), torch.tensor([[-2.0, 0.0, 2.0]])
    >>> tuple(net(frames, ev).shape)
    (1, 3, 16, 16)
    """
    row = MODELS[name]
    network = row.load()
    from openhdr.models import checkpoints

    if weights is None:
        return network(checkpoints.configured(row, network.Config, variant)).eval()
    path = WEIGHTS[str(weights)].verified_path() if str(weights) in WEIGHTS else Path(weights)
    return checkpoints.load_file(row, path, variant)


def load_for_use(name: str, weights: str | Path | None = None) -> nn.Module:
    """A network that gives sensible pictures: with `weights` as in `load`, or the first shipped ones.

    Raises RequestError when there are none: an untrained network would make a random image.
    """
    return load(name, chosen_weights(name, weights))


def chosen_weights(name: str, weights: str | Path | None = None) -> str | Path:
    """What `load_for_use` loads, or its RequestError; needs no torch."""
    row = MODELS[name]
    shipped = [weight.name for weight in WEIGHTS.values() if weight.network == row.name]
    if weights is None and not shipped:
        recipe = (
            f"or train some with: openhdr train recipes/small/{name}.toml"
            if row.recipe
            else "its authors' own"
        )
        raise RequestError(
            f"no trained weights for '{name}' are installed; give a file as `weights`, {recipe}"
        )
    return weights if weights is not None else shipped[0]
