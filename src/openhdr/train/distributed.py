"""Several processes, started by torchrun, that train one network with PyTorch's DistributedDataParallel.

Everything here also works in a single process, where it does nothing.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import distributed, nn
from torch.distributed.nn import functional as collective
from torch.nn.parallel import DistributedDataParallel

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class DistributedContext:
    """This process among all."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # on this machine: the number of its accelerator

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0


@contextmanager
def joined(device: str) -> Iterator[DistributedContext]:
    """Meet the other processes that torchrun started, if it did. device: `auto`, `cpu`, `cuda` ..."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield DistributedContext()
        return
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    on_cuda = choose_device(device, DistributedContext()).type == "cuda"
    if on_cuda:
        torch.cuda.set_device(local_rank)
    distributed.init_process_group("nccl" if on_cuda else "gloo")
    try:
        yield DistributedContext(distributed.get_rank(), size, local_rank)
    finally:
        distributed.destroy_process_group()


def choose_device(name: str, context: DistributedContext) -> torch.device:
    """The device of this process."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name, context.local_rank) if name == "cuda" else torch.device(name)


def together() -> bool:
    """Whether there are several processes."""
    return distributed.is_available() and distributed.is_initialized()


def gathered(x: torch.Tensor) -> torch.Tensor:
    """The batches of all processes, one after the other; carries no gradient."""
    x = x.detach()
    if not together():
        return x
    parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, x.contiguous())
    return torch.cat(parts)


def gathered_with_gradient(x: torch.Tensor) -> torch.Tensor:
    """As `gathered`, with the gradient of a loss that every process computes of the whole."""
    return torch.cat(collective.all_gather(x.contiguous())) if together() else x


def gathered_objects(item: ItemT) -> list[ItemT]:
    """One small object of every process, in the order of ranks."""
    if not together():
        return [item]
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, item)
    return found


def mean_over_processes(x: torch.Tensor) -> torch.Tensor:
    """The mean of a tensor of numbers over all processes."""
    if together():
        distributed.all_reduce(x)
        x = x / distributed.get_world_size()
    return x


def wait_for_all() -> None:
    if together():
        distributed.barrier()


def in_step(net: nn.Module, device: torch.device) -> nn.Module:
    """The network with gradients averaged over all processes, batch normalisation over all batches."""
    if not together():
        return net
    devices = [device.index] if device.type == "cuda" else None
    with warnings.catch_warnings():  # the option has another name from PyTorch 2.13 on, which older ones lack
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(net, device_ids=devices, broadcast_buffers=False)


def synchronised(net: nn.Module) -> nn.Module:
    """The network with its batch normalisation taken over the batches of all processes."""
    if not together():
        return net
    for name, child in net.named_children():
        setattr(
            net, name, SharedBatchNorm.of(child) if type(child) is nn.BatchNorm2d else synchronised(child)
        )
    return net


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over all processes. PyTorch's own works on accelerators only, this everywhere."""

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> SharedBatchNorm:
        made = cls(norm.num_features, norm.eps, norm.momentum)
        made.load_state_dict(norm.state_dict())
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same shape."""
        if not self.training:
            return super().forward(x)
        processes = distributed.get_world_size()
        mean = collective.all_reduce(x.mean((0, 2, 3))) / processes
        centred = x - mean[:, None, None]
        variance = collective.all_reduce(centred.square().mean((0, 2, 3))) / processes
        count = x.numel() // x.shape[1] * processes
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
            assert self.num_batches_tracked is not None
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale[:, None, None] + self.bias[:, None, None]
