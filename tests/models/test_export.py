"""Three-frame networks leave PyTorch: ONNX with dynamic sizes gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

Make = Callable[..., torch.nn.Module]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of itself
@pytest.mark.parametrize("name", ["gsanet", "ahdrnet", "eapnet-light"])
def test_onnx_at_sizes_that_it_was_not_exported_with(untrained: Make, tmp_path: Path, name: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    net = untrained(name)
    ev = torch.tensor([[-2.0, 0.0, 2.0]])
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        net,
        (torch.rand(1, 3, 3, 53, 75), ev),
        dynamo=True,
        verbose=False,
        dynamic_shapes={"frames": {3: dynamic, 4: dynamic}, "ev": None},
    )
    program.save(tmp_path / "net.onnx")
    session = runtime.InferenceSession(tmp_path / "net.onnx")
    for size in ((48, 72), (100, 91)):
        frames = torch.rand(1, 3, 3, *size)
        out = session.run(None, {"frames": frames.numpy(), "ev": ev.numpy()})[0]
        with torch.no_grad():
            np.testing.assert_allclose(out, net(frames, ev).numpy(), rtol=0, atol=1e-5)
