"""The network of the expansion of one photo: its row, and the shipped file, which is the shipped weights."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from openhdr import models
from openhdr.core.errors import FileError
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.expansion.trustnet_single import estimated, shipped
from openhdr.models.cost import challenge_macs
from openhdr.models.inference.export import export_files

NAME = "trustnet-single"


def seen(*size: int) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(2))


def test_row_states_the_cost_of_a_photo_and_its_mirror_image() -> None:
    """1060 x 1900 pixels are reduced to 96 x 192 cells."""
    macs, parameters = challenge_macs(models.load(NAME), torch.empty(1, 11, 96, 192))
    assert models.MODELS[NAME].params == parameters
    assert models.MODELS[NAME].gmacs == pytest.approx(2 * macs / 1e9, abs=0.005)


def test_it_is_the_network_of_a_method_and_no_method_itself() -> None:
    row = models.MODELS[NAME]
    assert row.inside and row.purpose == "expand" and NAME in INVERSE_TONE_MAPPERS


def test_shipped_file_is_the_shipped_weights() -> None:
    net, planes = models.load_for_use(NAME), seen(11, 96, 64)
    with torch.inference_mode():
        one, other = net(torch.stack((planes, planes.flip(-1))))
    expected = ((one + other.flip(-1)) / 2).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(estimated(planes.numpy(), shipped), expected, rtol=1e-4, atol=1e-4)


def test_a_damaged_file_is_refused(tmp_path) -> None:
    shipped_file = models.WEIGHTS[NAME].path.read_bytes()
    for content in (
        b"no model",
        shipped_file[: len(shipped_file) // 2],
        shipped_file.replace(NAME.encode(), b"another-network"),
    ):
        (tmp_path / "w.onnx").write_bytes(content)
        with pytest.raises(FileError, match=r"w\.onnx"):
            models.load(NAME, tmp_path / "w.onnx")


def test_gradients_reach_every_parameter() -> None:
    net = models.load(NAME).train()
    net(seen(2, 11, 32, 32)).square().mean().backward()
    idle = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@pytest.mark.slow
def test_an_exported_file_is_the_network(tmp_path) -> None:
    pytest.importorskip("onnxscript")
    (done,) = export_files(NAME, tmp_path / "net.onnx")
    photos = seen(3, 11, 64, 32)
    with torch.inference_mode():
        expected = models.load_for_use(NAME)(photos).numpy()
    found = onnxruntime.InferenceSession(done.path).run(None, {"seen": photos.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
