"""Write the small goldens that tests hold networks and metrics to on every machine.

    tests/models/goldens.json    outputs of every network with weights by a formula: changes when a design changes
    tests/metrics/goldens.json   every cheap metric of a synthetic pair

Run it only when a change of the values is meant, where the parity tests against the authors' own values pass.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from openhdr import metrics, models

TESTS = Path(__file__).resolve().parents[1] / "tests"
SIDE = 32
SIZE = {"frames": (1, 3, 3, SIDE, SIDE), "photo": (1, 3, SIDE, SIDE)}


def network(name: str) -> torch.nn.Module:
    """A network whose weights are a formula of their index."""
    net = models.load(name)
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            index = torch.arange(parameter.numel(), dtype=torch.float64)
            scale = 0.5 / max(1, parameter[0].numel()) ** 0.5 if parameter.dim() > 1 else 0.05
            parameter.copy_((scale * torch.sin(1.7 * index + number)).reshape(parameter.shape))
    return net


def pattern(shape: tuple[int, ...]) -> torch.Tensor:
    """Values 0..1 without a random generator."""
    index = torch.arange(int(np.prod(shape)), dtype=torch.float64)
    return (0.5 + 0.5 * torch.sin(index * 0.37) * torch.cos(index * 0.011)).float().reshape(shape)


def outputs(name: str) -> list[float]:
    """Mean, deviation and four pixels of the output."""
    net, task = network(name), models.MODELS[name].task
    with torch.inference_mode():
        if task == "merge":
            out = net(pattern(SIZE["frames"]), torch.tensor([[-2.0, 0.0, 2.0]]))
        else:
            out = net(pattern(SIZE["photo"]))
    out = out.double()
    picked = out.flatten()[:: out.numel() // 4][:4]
    return [float(value) for value in (out.mean(), out.std(), *picked)]


def pair() -> tuple[np.ndarray, np.ndarray]:
    """(test, ref), (48, 64, 3) float64 light over ten stops."""
    y, x = np.mgrid[0:48, 0:64]
    ref = np.stack([2.0 ** (3 * np.sin(x / 9 + c) + 2 * np.cos(y / 7 - c) - 1) for c in range(3)], 2)
    return ref * (1 + 0.05 * np.sin(x * 1.3 + y * 0.7))[..., None], ref


def main() -> None:
    nets = {name: outputs(name) for name, row in models.MODELS.items() if not row.inside}
    _write(TESTS / "models" / "goldens.json", nets)
    _write(TESTS / "metrics" / "goldens.json", metrics.evaluate(*pair(), protocol="abs:100"))


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
