"""What the papers say of their networks, and how it differs from what was measured here."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark_pages.markdown import table
from benchmark_pages.stored import Stored
from openhdr.models import MODELS, WEIGHTS


@dataclass(frozen=True)
class Paper:
    """scores: as printed there, in the words of the metrics here. data: of test and training. budget: of training."""

    network: str
    scores: str
    data: str
    budget: str


NTIRE = ("ntire-psnr", "ntire-psnr-mu")
VISION = ("hdr-vdp-2", "tm-psnr", "tm-ssim")
PAPERS = (
    Paper(
        "ahdrnet",
        "38.67 / 36.71 (Liu et al. 2021, validation); 37.60 / 37.02 (challenge of 2022, test)",
        "HdM video frames of the NTIRE challenges",
        "not printed for these two",
    ),
    Paper(
        "adnet",
        "39.45 / 37.64 (challenge of 2021, test)",
        "1463 HdM scenes to train on, 1900x1060; its own frames as test",
        "200 epochs of batch 16 on 8 RTX 2080 Ti, about 3 days",
    ),
    Paper(
        "gsanet",
        "36.88 / 35.57 (1 million iterations, validation); 35.82 psnr-mu in the challenge of 2022",
        "HdM scenes of the challenge, cut to 480x480",
        "up to 1.5 million iterations of batch 8",
    ),
    Paper(
        "eapnet",
        "38.61 / 37.25 (challenge of 2022, track 1, test)",
        "HdM scenes of the challenge",
        "batch 32 on 4 V100, about 7 days",
    ),
    Paper(
        "eapnet-light",
        "38.77 / 37.10 (challenge of 2022, track 2, test)",
        "HdM scenes of the challenge",
        "batch 32 on 4 V100, about 7 days",
    ),
    Paper(
        "two-stage",
        "34.29 / 32.66 (own split of HdM)",
        "1000 HdM scenes to train on, 289 to test on",
        "25 epochs of 7551 patches, batch 8",
    ),
    Paper(
        "stack-itm",
        "65.20 / 25.17 / 0.88 (SICE-S, test)",
        "360 SICE stacks to train on, 90 to test on; fused by other software for the truth",
        "not printed",
    ),
)


def papers_table(merging: Stored, single: Stored) -> str:
    """One row a network: the paper's numbers, ours, and what differs."""
    head = [
        "network",
        "metrics",
        "paper",
        "paper's data",
        "paper's training",
        "here, on other scenes",
        "weights here",
    ]
    return table(
        head, [_row(paper, merging if MODELS[paper.network].task == "merge" else single) for paper in PAPERS]
    )


def _row(paper: Paper, stored: Stored) -> list[str]:
    keys = VISION if paper.network == "stack-itm" else NTIRE
    weights = [row for row in WEIGHTS.values() if row.network == paper.network]
    name = weights[0].name if weights else ""
    found = [_value(stored, name, key) for key in keys] if name in stored.methods else ["not measured"]
    here = " / ".join(found) if weights else "no weights yet"
    trained = "; ".join(f"{row.summary} ({row.training_data})" for row in weights) or "-"
    return [f"`{paper.network}`", ", ".join(keys), paper.scores, paper.data, paper.budget, here, trained]


def _value(stored: Stored, method: str, key: str) -> str:
    value = stored.mean(method, key)
    return "-" if value is None else f"{value:.2f}"
