"""What one-photo networks are trained against."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from openhdr.train.discriminators.stack_itm import (
    MaskAwareDiscriminator,
    discriminator_loss,
    exposure_mask,
    generator_loss,
    mixed_fake,
)
from openhdr.train.discriminators.two_stage import TwoStageDiscriminator


def photo(height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(5))


# --- two-stage ----------------------------------------------------------------------------------------------


def test_discriminator_takes_the_authors_tensors(shared: Path) -> None:
    lines = (shared / "fixtures" / "two_stage" / "discriminator_keys.txt").read_text().splitlines()
    state = {}
    for key, shape, kind in (line.split("\t") for line in lines):
        size = [int(part) for part in shape.strip("()").split(",") if part.strip()]
        state[key] = torch.zeros(size, dtype=torch.int64 if "int" in kind else torch.float32)
    net = TwoStageDiscriminator()
    net.load_state_dict(net.from_authors(state))
    assert sum(p.numel() for p in net.parameters()) == 4_689_601


def test_discriminator_judges_images() -> None:
    torch.manual_seed(1)
    net = TwoStageDiscriminator().eval()
    with torch.no_grad():
        verdict = net(torch.rand(3, 3, 64, 48))
    assert verdict.shape == (3, 1)
    assert ((verdict > 0) & (verdict < 1)).all()
    # the padded 1x1 convolution puts a border of its bias around the map that is averaged
    features = torch.full((1, 512, 4, 3), 0.5)
    inside = net.judge.weight.sum() * 0.5 + net.judge.bias
    expected = (12 * inside + (6 * 5 - 12) * net.judge.bias) / 30
    torch.testing.assert_close(net.judge(features).mean(), expected.squeeze(), rtol=1e-4, atol=1e-6)


# --- stack-itm: mask-aware -----------------------------------------------------------------------------------


def test_masks_are_soft_at_the_ends() -> None:
    levels = torch.tensor([0.0, 0.025, 0.05, 0.5, 0.95, 0.975, 1.0])
    grey = levels.expand(1, 3, 1, 7)
    torch.testing.assert_close(
        exposure_mask(grey, "over")[0, 0, 0], torch.tensor([0, 0, 0, 0, 0, 0.5, 1]), rtol=0, atol=1e-5
    )
    torch.testing.assert_close(
        exposure_mask(grey, "under")[0, 0, 0], torch.tensor([1, 0.5, 0, 0, 0, 0, 0]), rtol=0, atol=1e-5
    )
    one_channel = torch.tensor([1.0, 0.2, 0.2]).view(1, 3, 1, 1)
    assert exposure_mask(one_channel, "over").item() == pytest.approx(1)  # the brightest channel decides


def test_labels_are_one_minus_the_mask() -> None:
    generated, truth = photo(8, 8), photo(8, 8).flip(3)
    mask = exposure_mask(truth, "over")
    fake, label = mixed_fake(generated, truth, mask)
    assert torch.equal(label, 1 - mask)
    torch.testing.assert_close(fake, generated * mask + truth * (1 - mask))
    kept = (mask == 0).expand_as(fake)
    assert torch.equal(fake[kept], truth[kept])


def test_losses_are_least_squares() -> None:
    label = torch.tensor([[[[1.0, 0.0]]]])
    assert discriminator_loss(torch.ones_like(label), label, label).item() == 0
    assert discriminator_loss(torch.zeros_like(label), 1 - label, label).item() == pytest.approx(1.0)
    assert generator_loss(torch.ones_like(label)).item() == 0
    assert generator_loss(torch.zeros_like(label)).item() == pytest.approx(0.5)


@pytest.mark.parametrize("global_head", [False, True])
def test_discriminator_judges_every_pixel(global_head: bool) -> None:
    torch.manual_seed(0)
    net = MaskAwareDiscriminator(global_head)
    pixels, verdict = net(photo(37, 50, batch=2))
    assert pixels.shape == (2, 1, 37, 50)
    assert (verdict.shape == (2, 1)) if global_head else verdict is None
    (pixels.square().mean() + (verdict.square().mean() if global_head else 0)).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
