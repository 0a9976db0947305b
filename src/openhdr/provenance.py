"""What a number was measured with: versions, commit, hardware."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from openhdr.core.threads import cores
from openhdr.core.version import __version__

PACKAGES = ("numpy", "opencv-python-headless", "torch", "safetensors")


def software() -> dict[str, str | None]:
    """Versions of what computes; None = not installed."""
    return {"openhdr": __version__, "python": platform.python_version()} | {
        name: _version(name) for name in PACKAGES
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit of the checkout that openhdr runs from, `+changes` if files differ; None where installed."""
    package = Path(__file__).resolve().parent
    if not any((folder / ".git").exists() for folder in package.parents[:3]):
        return None
    found = _git(package, "rev-parse", "HEAD")
    if found is None:
        return None
    return found + ("+changes" if _git(package, "status", "--porcelain", "--", ".") else "")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def hardware() -> dict[str, Any]:
    """Processor, how many cores this process may use, memory in 1e9 bytes, system."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
