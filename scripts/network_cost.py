"""Write docs/reference/network_cost.md: what the networks cost, beside what their papers say.

    python scripts/network_cost.py

Counted on the "meta" device (shapes without numbers), so it takes seconds and no memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from openhdr import models
from openhdr.models.cost import challenge_macs

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "network_cost.md"
HEIGHT, WIDTH = 1060, 1900  # the challenge's images

LIGHT = {"blocks": 3, "alignment": "full", "transposed": False}
PLAIN = LIGHT | {"alignment": "none"}
DENSE = PLAIN | {"body": "drdb", "share": True}


@dataclass(frozen=True)
class Cost:
    """One line of a table: a network, and what its paper says of it (0 = nothing)."""

    label: str
    name: str
    variant: dict[str, Any] = field(default_factory=dict)
    gmacs: float = 0.0
    params: str = ""
    note: str = ""


NETWORKS = (
    Cost(
        "AHDRNet", "ahdrnet", {}, 2916.92, "1141.28k", "the paper's parameter count is a misprint of 1441.28k"
    ),
    Cost(
        "ADNet",
        "adnet",
        {},
        6249.43,
        "280 (M)",
        "2.96 M; nothing in the network matches the 280 of GSANet's tables",
    ),
    Cost("GSANet", "gsanet", {}, 199.39, "0.08 M", "one table says 199.38"),
    Cost(
        "GSANet, features computed once",
        "gsanet",
        {"share_features": True},
        note="same output; the runner does this",
    ),
    Cost("EAPNet", "eapnet", {}, 198.38, "576.23k"),
    Cost("EAPNet, lightweight", "eapnet-light", {}, 146.28, "393.73k"),
)
EXPERIMENTS = (
    Cost("1: no PDUB, one scale", "eapnet", DENSE | {"encoder": "single-scale"}, 152.11, note="see below"),
    Cost("2: multi-scale encoder", "eapnet", DENSE, 137.66),
    Cost("3: PDUB", "eapnet", PLAIN | {"share": True}, 121.03),
    Cost("4: full alignment", "eapnet", LIGHT | {"share": True}, 146.28),
    Cost("5: as 3, nothing shared", "eapnet", PLAIN, 121.03),
    Cost("6: as 4, nothing shared (lightweight)", "eapnet", LIGHT, 146.28),
    Cost("7: half alignment", "eapnet", LIGHT | {"alignment": "half"}, 126.43),
    Cost("8: four PDUBs, transposed (standard)", "eapnet", {}, 198.38),
)
BLOCKS = tuple(
    Cost(f"{count} PDUBs", "eapnet", LIGHT | {"blocks": count}, gmacs)
    for count, gmacs in ((2, 128.25), (3, 146.28), (4, 164.31), (5, 182.34))
)
ABLATIONS = (
    *(
        Cost(f"GSANet, groups {{{groups}}}", "gsanet", {"grouping": groups})
        for groups in ("12345", "135", "123,345", "135,234")
    ),
    Cost("GSA-NoUNet", "gsanet", {"denoise": False}),
    Cost(
        "GSA-DRDBNet (no channel attention)",
        "gsanet",
        {"channel_attention": False},
        195.45,
        "0.07 M",
        "see below",
    ),
    Cost("GSA-CANet (no dense block)", "gsanet", {"dense_block": False}),
    Cost("ADNet, baseline", "adnet", {"design": "baseline"}),
    Cost("ADNet, variant 1", "adnet", {"design": "variant-1"}),
    Cost("ADNet, variant 2", "adnet", {"design": "variant-2"}),
    Cost("ADNet + G", "adnet", {"design": "grouped"}),
    Cost(
        "AHDRNet, five dense layers", "ahdrnet", {"dense_layers": 5}, note="shows that the baseline has six"
    ),
)

INTRODUCTION = f"""# What the networks cost

Written by `python scripts/network_cost.py`; do not edit. All numbers are for three frames of
{HEIGHT}x{WIDTH} pixels.

**The rule** is that of the NTIRE 2022 challenge, by which the papers' numbers were made: for every call of a
(transposed) convolution, (weights + biases) x output positions; other layers with parameters count these once
a call; a shared layer counts each time it is called. What is no layer counts nothing: ADNet's four deformable
kernels add 343.98 GMAC in truth, 6593.41 in all. Transposed convolutions are over-counted, by the rule.
"""

EXPLANATIONS = """## Deviations

**EAPNet** was published without a program, and its paper gives no widths. The layers here follow everything
that the paper gives, with widths chosen so that the tables fit; the original layer list cannot be recovered
from them. Inside, images are padded to 1080x1920, as in the paper.

- *Experiment 1* lies 14 % below the paper. It stands for AHDRNet with separable convolutions and its
  restoration at half the size, but the paper says nothing of the widths or the resolution of that encoder and
  its attention. With 64 channels at full resolution these two and the dense blocks would cost far more than
  the paper's number; here attention works at half resolution.
- *Experiment 7*: the paper halves "attention and alignment"; the saving it reports is that of the alignment
  alone, which is what `alignment="half"` halves.

**GSANet**, table 4: "- PCD" (475.83), "- DRDB" (243.71) and "+ SepConv" (195.45) are stages on the way from
ADNet to GSANet whose layers are not published. The last cannot be GSANet without channel attention, as its
label suggests: that module costs 37.1 GMAC, and the paper's difference to "+ CA" (199.39) is 3.94.

**ADNet** variants and "ADNet + G" have no costs in the papers.

**AHDRNet**: 1,441,283 parameters leave out two convolutions (73,856) of the authors' program that are never
called. The "AHDR*" of EAPNet's table 6 (2710.12) is its authors' own version; what it changed is not said.
"""


def counted(cost: Cost) -> tuple[float, int]:
    """GMAC by the rule, and parameters."""
    with torch.device("meta"):
        net = models.load(cost.name, **cost.variant)
        macs, params = challenge_macs(net, torch.empty(1, 3, 3, HEIGHT, WIDTH), torch.empty(1, 3))
    return macs / 1e9, params


def line(cost: Cost) -> str:
    gmacs, params = counted(cost)
    paper = f"{cost.gmacs:.2f}" if cost.gmacs else "-"
    gap = f"{(gmacs / cost.gmacs - 1) * 100:+.2f} %" if cost.gmacs else ""
    return (
        f"| {cost.label} | {paper} | {gmacs:.3f} | {gap} | {cost.params or '-'} | {params:,} | {cost.note} |"
    )


def table(title: str, costs: tuple[Cost, ...]) -> str:
    head = "| network | paper, GMAC | here, GMAC | gap | paper, parameters | here | |\n|---|---|---|---|---|---|---|"
    return "\n".join((f"## {title}\n", head, *(line(cost) for cost in costs))) + "\n"


def page() -> str:
    """The whole page."""
    parts = (
        INTRODUCTION,
        table("Networks", NETWORKS),
        table("EAPNet, table 1: experiments", EXPERIMENTS),
        table("EAPNet, table 2: number of PDUBs (lightweight)", BLOCKS),
        table("Ablation variants", ABLATIONS),
        EXPLANATIONS,
    )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
