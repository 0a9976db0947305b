"""What every three-frame network promises, over every row and every ablation variant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from openhdr import models
from openhdr.models import checkpoints

Make = Callable[..., torch.nn.Module]


def scene(batch: int = 1, height: int = 48, width: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    frames = torch.rand(batch, 3, 3, height, width, generator=generator)
    return frames, torch.tensor([[-2.0, 0.0, 2.0]]).repeat(batch, 1)


def test_folder_and_table_agree() -> None:
    """A file that defines a network (a class with a Config) has a row, and every row a file."""
    files = Path(models.__file__).parent.glob("*.py")
    networks = {path.stem for path in files if "\n    Config = " in path.read_text()}
    assert networks == {row.target.split(":")[0].rsplit(".", 1)[1] for row in models.MODELS.values()}


@pytest.mark.parametrize("name", list(models.MODELS))
def test_row_states_the_parameters(name: str) -> None:
    assert sum(p.numel() for p in models.load(name).parameters()) == models.MODELS[name].params


def test_any_size_gives_a_finite_image_of_that_size(untrained: Make, variant: tuple[str, dict]) -> None:
    name, options = variant
    net = untrained(name, options)
    for size in ((37, 50), (1, 1)):
        with torch.no_grad():
            out = net(*scene(1, *size))
        assert out.shape == (1, 3, *size)
        assert torch.isfinite(out).all() and (out >= 0).all()
        assert not net.bounded or (out <= 1).all()


def test_gradients_reach_every_parameter(untrained: Make, variant: tuple[str, dict]) -> None:
    name, options = variant
    net = untrained(name, options).train()
    net(*scene(1, 24, 24)).square().mean().backward()
    idle = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_images_of_a_batch_do_not_touch(untrained: Make, merger: str) -> None:
    net = untrained(merger)
    frames, ev = scene(2, 24, 32)
    ev[1] = torch.tensor([-3.0, 0.0, 1.0])
    with torch.no_grad():
        together = net(frames, ev)
        alone = torch.cat([net(frames[i : i + 1], ev[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_weights_survive_a_file_with_their_options(
    tmp_path: Path, untrained: Make, variant: tuple[str, dict]
) -> None:
    name, options = variant
    net = untrained(name, options)
    checkpoints.save(net, name, tmp_path / "weights.safetensors")
    again = models.load(name, tmp_path / "weights.safetensors")  # the file knows the variant
    assert again.config == net.config
    frames, ev = scene(1, 24, 24)
    with torch.no_grad():
        assert torch.equal(net(frames, ev), again(frames, ev))


def test_longer_exposures_mean_darker_scenes(untrained: Make, merger: str) -> None:
    """The EVs act: the same photos, said to be taken with other exposures, give another image."""
    net = untrained(merger)
    frames, ev = scene(1, 24, 24)
    with torch.no_grad():
        assert (net(frames, ev) - net(frames, ev * 1.5)).abs().max() > 1e-6


@pytest.mark.parametrize("grouping", ["123,234,345", "135"])
def test_gsanet_shares_features_without_changing_the_output(untrained: Make, grouping: str) -> None:
    net = untrained("gsanet", {"grouping": grouping})
    shared = models.load("gsanet", grouping=grouping, share_features=True)
    shared.load_state_dict(net.state_dict())
    with torch.no_grad():
        assert torch.equal(net(*scene()), shared(*scene()))


def test_importing_the_table_does_not_import_torch() -> None:
    import subprocess
    import sys

    code = "import sys, openhdr.models; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
