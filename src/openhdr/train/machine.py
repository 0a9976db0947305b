"""What a run was made with: versions, commit, hardware."""

from __future__ import annotations

from typing import Any

import torch

from openhdr.core import machine


def machine_facts(device: torch.device, processes: int) -> dict[str, Any]:
    """For run.json; None where something is not known."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "versions": machine.software(),
        "commit": machine.commit(),
        "hardware": {**machine.hardware(), "device": name, "processes": processes},
    }
