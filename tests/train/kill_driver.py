"""Trains the same run twice: once whole, once killed again and again. Its own program, because it forks.

python kill_driver.py SCENES FOLDER KILLS      writes FOLDER/whole and FOLDER/killed
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch

from conftest import RECIPES, TINY
from openhdr.train.loop import train
from openhdr.train.recipe import load_recipe

LENGTH = 50
LONGEST_S = 0.8  # from a start to its kill


def start(folder: Path, scenes: str) -> int:
    """Begin or resume the run in a process of its own; returns its number."""
    child = os.fork()
    if child:
        return child
    changes = ("data.patch=16", f"run.length={LENGTH}", "validation.every=10", "validation.samples=1")
    recipe = load_recipe(RECIPES / "gsanet.toml", (*TINY, f"data.path={scenes}", *changes))
    train(recipe, folder, resume=True)
    os._exit(0)


def finish(child: int) -> None:
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"a run ended with status {status}")


def main() -> None:
    scenes, folder, wanted = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    finish(start(folder / "whole", scenes))
    draw, kills = random.Random(5), 0
    while kills < wanted:
        child = start(folder / "killed", scenes)
        time.sleep(draw.uniform(0.02, LONGEST_S))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status):
            raise SystemExit("the run ended before it was killed often enough; make it longer")
    finish(start(folder / "killed", scenes))
    sys.stdout.write(json.dumps({"kills": kills}))


main()
