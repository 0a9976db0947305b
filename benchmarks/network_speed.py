"""How much faster the runner is than the plain forward pass, on the same weights, in one run.

    python benchmarks/network_speed.py [NAME ...] [--threads 2] [--height 1060 --width 1900] [--out FILE.json]

plain: the network as one would write it first: NCHW, eager, one call per layer, every feature computed
where it is used, concatenations made, deformable samples gathered corner by corner. runner:
`openhdr.models.inference.three_frames`. Each runs in a process of its own, which reports its time and its peak memory
(program included). Weights are drawn at random; speed does not depend on them. ADNet's plain pass takes over
30 GB at full size, so it is given a quarter of the area; so is the runner then. The NAME deformable-conv is one
layer of ADNet alone (64 channels, 8 groups, a sixteenth of the area), its predicted offsets included.
"""

from __future__ import annotations

import json
import multiprocessing
import platform
import resource
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
import numpy as np
import torch
from torch.nn import functional as F

from openhdr import models
from openhdr.models.inference import three_frames
from openhdr.models.layers.deform import DeformConv

EV = (-2.0, 0.0, 2.0)
SHRUNK = {"adnet": 2, "deformable-conv": 4}  # sides are divided by this
LAYER = "deformable-conv"


class PlainDeformConv(DeformConv):
    """The same layer, by a gather for each of the four corners of every sample."""

    def forward(self, x: torch.Tensor, guide: torch.Tensor, origin: tuple[int, int] = (0, 0)) -> torch.Tensor:
        predicted = self.predict(guide)
        batch, _, height, width = x.shape
        groups = predicted.shape[1] // 27
        shift = predicted[:, : 18 * groups].reshape(batch, groups, 9, 2, height, width)
        mask = torch.sigmoid(predicted[:, 18 * groups :]).reshape(batch, groups, 1, 9, height, width)
        taps = torch.arange(9).view(9, 1, 1)
        y = shift[:, :, :, 0] + torch.arange(height).view(-1, 1) + (taps // 3 - 1)
        x_at = shift[:, :, :, 1] + torch.arange(width) + (taps % 3 - 1)
        pixels = x.reshape(batch, groups, -1, height * width)
        samples = torch.zeros(())
        for corner_y in (y.floor(), y.floor() + 1):
            for corner_x in (x_at.floor(), x_at.floor() + 1):
                share = (1 - (y - corner_y).abs()) * (1 - (x_at - corner_x).abs())
                inside = (corner_y >= 0) & (corner_y < height) & (corner_x >= 0) & (corner_x < width)
                index = corner_y.clamp(0, height - 1) * width + corner_x.clamp(0, width - 1)
                index = index.long().reshape(batch, groups, 1, -1).expand(-1, -1, pixels.shape[2], -1)
                found = pixels.gather(3, index).reshape(batch, groups, -1, 9, height, width)
                samples = samples + found * (share * inside)[:, :, None]
        columns = (samples * mask).reshape(batch, -1, height, width)
        return F.conv2d(columns, self.weight.reshape(len(self.weight), -1, 1, 1), self.bias)


def _network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    net = models.load(name)
    for key, parameter in net.named_parameters():
        if ".predict." in key and key.startswith("align"):  # zero at the start: no sample would move
            torch.nn.init.normal_(parameter, std=0.003)
    return net


def _frames(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((3, height, width, 3), np.float32)


def layer(plainly: bool, height: int, width: int) -> np.ndarray:
    """A deformable convolution of features that `height` and `width` measure."""
    torch.manual_seed(0)
    conv = DeformConv(64, 64, 8)
    torch.nn.init.normal_(conv.predict.weight, std=0.003)
    conv.__class__ = PlainDeformConv if plainly else DeformConv
    generator = torch.Generator().manual_seed(1)
    x, guide = torch.randn(2, 1, 64, height, width, generator=generator).unbind()
    if not plainly:
        x, guide = (one.contiguous(memory_format=torch.channels_last) for one in (x, guide))
    with torch.inference_mode():
        return conv(x, guide)[0].permute(1, 2, 0).numpy()


@dataclass(frozen=True)
class Pass:
    """What a pass took: seconds, seconds of all processors, peak GB; and every seventh pixel of its result."""

    seconds: float
    busy: float
    peak_gb: float
    image: np.ndarray


def plain(name: str, frames: np.ndarray) -> np.ndarray:
    if name == LAYER:
        return layer(True, *frames.shape[1:3])
    net = _network(name)
    for module in net.modules():
        if isinstance(module, DeformConv):
            module.__class__ = PlainDeformConv
    ev = np.asarray(EV) - (EV[0] if net.bounded else 0)
    with torch.inference_mode():
        inputs = torch.from_numpy(frames).permute(0, 3, 1, 2)[None].contiguous()
        image = net(inputs, torch.tensor(ev, dtype=torch.float32)[None])
    scale = 2.0 ** (-EV[0] / 2.24) if net.bounded else 1.0
    return image[0].permute(1, 2, 0).numpy() * np.float32(scale)


def tiled(name: str, frames: np.ndarray) -> np.ndarray:
    if name == LAYER:
        return layer(False, *frames.shape[1:3])
    return three_frames.run(_network(name), frames, EV)


def _measured(
    pipe: multiprocessing.connection.Connection, way: str, name: str, size: tuple[int, int], threads: int
) -> None:
    torch.set_num_threads(threads)
    frames = _frames(*size)
    work = {"plain": plain, "runner": tiled}[way]
    work(name, frames[:, :64, :64])  # not timed: first-call set-up
    started, busy = time.perf_counter(), time.process_time()
    image = work(name, frames)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    pipe.send(Pass(seconds, busy, peak, image[::7, ::7]))


def measure(way: str, name: str, size: tuple[int, int], threads: int) -> Pass:
    """One pass in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(send, way, name, size, threads))
    process.start()
    send.close()
    result = receive.recv()
    process.join()
    return result


def compare(name: str, size: tuple[int, int], threads: int, rounds: int) -> dict[str, object]:
    """Plain once, the runner `rounds` times around it; the runner's median counts."""
    runs = [measure("runner", name, size, threads) for _ in range(rounds // 2)]
    slow = measure("plain", name, size, threads)
    runs += [measure("runner", name, size, threads) for _ in range(rounds - len(runs))]
    seconds, busy = (float(np.median([getattr(run, clock) for run in runs])) for clock in ("seconds", "busy"))
    return {
        "network": name,
        "size": f"{size[0]}x{size[1]}",
        "plain_s": round(slow.seconds, 2),
        "runner_s": round(seconds, 2),
        "times_faster": round(slow.seconds / seconds, 2),
        "times_less_processor_time": round(slow.busy / busy, 2),
        "plain_gb": round(slow.peak_gb, 2),
        "runner_gb": round(max(run.peak_gb for run in runs), 2),
        "largest_difference": float(np.abs(runs[0].image - slow.image).max()),
    }


@click.command()
@click.argument("names", nargs=-1)
@click.option("--threads", default=2)
@click.option("--height", default=1060)
@click.option("--width", default=1900)
@click.option("--rounds", default=3, help="runs of the runner for each plain run")
@click.option("--out", type=click.Path(path_type=Path), help="write the results as JSON")
def main(
    names: tuple[str, ...], threads: int, height: int, width: int, rounds: int, out: Path | None
) -> None:
    rows = []
    for name in names or ("gsanet", "ahdrnet", "adnet", "eapnet", "eapnet-light", LAYER):
        size = (height // SHRUNK.get(name, 1), width // SHRUNK.get(name, 1))
        rows.append(compare(name, size, threads, rounds))
        click.echo(json.dumps(rows[-1]))
    if out:
        facts = {"date": str(date.today()), "machine": platform.processor() or platform.machine()}
        facts |= {"torch": torch.__version__, "threads": threads, "results": rows}
        out.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
