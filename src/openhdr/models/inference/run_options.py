"""How a network is run; known without torch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from openhdr.core.errors import RequestError, unknown_name
from openhdr.core.options import option

HEADING = "Networks, which PyTorch runs"  # over their options
Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class RunOptions:
    """How to run a network.

    threads: tiles worked on at a time; None = as many as PyTorch's threads.
    """

    device: str = option("Where it runs: cpu, cuda, cuda:1, mps.", "cpu", heading=HEADING)
    precision: Precision = option(
        "Of products: auto, float32, bfloat16 or float16. auto is bfloat16 for one photo on a processor that has it, "
        "else float32.",
        "auto",
        heading=HEADING,
    )
    memory: float = option("GB for images and all between.", 2.4, heading=HEADING)
    augment: bool = option(
        "The mean of four views of the scene; takes 4 times as long.", False, heading=HEADING
    )
    threads: int | None = None

    def __post_init__(self) -> None:
        if not self.memory > 0:
            raise RequestError(f"`memory={self.memory:g}`: expected GB above 0")
        if self.threads is not None and self.threads < 1:
            raise RequestError(f"`threads={self.threads}`: expected 1 or more")
        if self.precision not in get_args(Precision):
            raise unknown_name("precision", self.precision, get_args(Precision))

    def refuse(self, method: str) -> None:
        """Raise RequestError if anything is set: for a method that none of this is for."""
        for one in fields(self):
            value = getattr(self, one.name)
            if value != one.default:
                networks = "networks that PyTorch runs (openhdr models)"
                raise RequestError(f"`{one.name}={value}` is for {networks}; leave it out for '{method}'")
