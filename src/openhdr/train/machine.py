"""What a run was made with: versions, commit, hardware."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import openhdr

PACKAGES = ("numpy", "opencv-python-headless", "torch", "safetensors")


def machine_facts(device: torch.device, processes: int) -> dict[str, Any]:
    """For run.json; None where something is not known."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "versions": {"openhdr": openhdr.__version__, "python": platform.python_version()}
        | {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
        "hardware": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": cores,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
            "processes": processes,
        },
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the checkout that openhdr runs from, `+changes` if files differ; None if it is installed."""
    package = Path(openhdr.__file__).resolve().parent
    if not any((folder / ".git").exists() for folder in package.parents[:3]):
        return None
    found = _git(package, "rev-parse", "HEAD")
    return found and found + ("+changes" if _git(package, "status", "--porcelain", "--", ".") else "")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
