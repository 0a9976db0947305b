"""Networks leave PyTorch: ONNX with dynamic sizes gives the same numbers, or there is no file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from openhdr import models
from openhdr.core.errors import MissingExtraError, RequestError
from openhdr.models import checkpoints
from openhdr.models.inference import export
from openhdr.models.inference.export import export_files, export_module
from openhdr.models.inference.interfaces import INTERFACES, Interface

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")

Make = Callable[..., torch.nn.Module]

SMALL = {
    "expandnet": {},
    "hdrunet": {},
    "ahdrnet": {"dense_layers": 1},
    "adnet": {"design": "variant-1", "dense_layers": 1},
    "gsanet": {},
    "eapnet": {"blocks": 1},
    "eapnet-light": {"blocks": 1},
    "two-stage": {},
    "stack-itm": {"cross_attention": "none"},
}
"""Variants with every kind of layer that an exporter may trip over, each once: tracing takes its time by the layer."""

SIZES = ({"height": 1, "width": 1}, {"height": 31, "width": 130}, {"height": 130, "width": 33})


class Gain(nn.Module):
    """Two results of any number of frames: each brighter, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(2.0))

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.gain * frames, frames.mean(1)


GAIN = Interface(
    {"frames": {1: "count", 3: "height", 4: "width"}},
    {"bright": {1: "count", 3: "height", 4: "width"}, "mean": {2: "height", 3: "width"}},
    lambda sizes: (torch.rand(1, sizes["count"], 3, sizes["height"], sizes["width"]),),
    {"frames": "light", "bright": "twice the light", "mean": "of all frames"},
    traced={"count": 3, "height": 5, "width": 7},
    checked=({"count": 6, "height": 4, "width": 9},),
)


def metadata(path: Path) -> dict[str, str]:
    found = runtime.InferenceSession(path).get_modelmeta().custom_metadata_map
    return json.loads(found["openhdr"])


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    """Any number of frames and sizes, several results, facts in the file."""
    done = export_module(Gain().eval(), GAIN, tmp_path / "gain.onnx", {"network": "gain"})
    assert done.largest_difference < 1e-6
    assert done.shapes["frames"] == (1, "count", 3, "height", "width")
    assert done.shapes["mean"] == (1, 3, "height", "width")
    assert metadata(done.path)["network"] == "gain" and metadata(done.path)["mean"] == "of all frames"
    frames = np.random.default_rng(0).random((1, 2, 3, 6, 8), np.float32)
    bright, mean = runtime.InferenceSession(done.path).run(None, {"frames": frames})
    np.testing.assert_allclose(bright, 2 * frames)
    np.testing.assert_allclose(mean, frames.mean(1), rtol=1e-6)


def test_a_file_that_disagrees_does_not_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Gain().eval()
    traced = export._traced

    def other(net: nn.Module, interface: Interface) -> object:
        program = traced(net, interface)
        net.gain = nn.Parameter(net.gain.detach() + 1e-3)
        return program

    monkeypatch.setattr(export, "_traced", other)
    with pytest.raises(RequestError, match=r"not written, because ONNX Runtime differs from PyTorch by 0.00"):
        export_module(net, GAIN, tmp_path / "gain.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_missing_exporter_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"'onnxscript', which.*openhdr\[export\]"):
        export_module(Gain().eval(), GAIN, tmp_path / "gain.onnx", {})


def test_every_task_has_interfaces_that_its_networks_fit() -> None:
    assert set(INTERFACES) == {row.task for row in models.MODELS.values()}
    for interface in (one for parts in INTERFACES.values() for one in parts.values()):
        assert set(interface.meaning) == {*interface.inputs, *interface.outputs}
        assert interface.traced not in interface.checked


def test_every_network_is_exported() -> None:
    assert set(SMALL) == {row.name for row in models.MODELS.values() if not row.inside and row.exported}
    with pytest.raises(RequestError, match="'safnet' cannot be exported"):
        export_files("safnet", Path("net.onnx"))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SMALL))
def test_every_network_at_sizes_that_it_was_not_traced_with(
    untrained: Make, tmp_path: Path, name: str
) -> None:
    net = untrained(name, SMALL[name])
    checkpoints.save(net, name, tmp_path / "w.safetensors")
    (done,) = export_files(name, tmp_path / "net.onnx", tmp_path / "w.safetensors")
    session = runtime.InferenceSession(done.path)
    (interface,) = INTERFACES[models.MODELS[name].task].values()
    for sizes in SIZES:
        inputs = interface.example(sizes)
        feed = {key: tensor.numpy() for key, tensor in zip(interface.inputs, inputs, strict=True)}
        with torch.inference_mode():
            expected = net(*inputs).numpy()
        np.testing.assert_allclose(session.run(None, feed)[0], expected, rtol=1e-4, atol=1e-4)
