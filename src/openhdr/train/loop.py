"""The training loop, the same for every system.

A step is a function of the recipe, the step's number and the state before it. Nothing else is remembered, so
a run that is killed and resumed, or spread over processes, goes through the same states.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from openhdr.core.errors import OpenHDRError
from openhdr.core.progress import task
from openhdr.models.layers.steps import Network
from openhdr.train import checkpoint
from openhdr.train.distributed import (
    DistributedContext,
    choose_device,
    gathered_objects,
    joined,
    wait_for_all,
)
from openhdr.train.examples import Examples, batches
from openhdr.train.folder import BEST, LAST, describe_run, prepare_folder, scored_by, write_choice
from openhdr.train.logger import NullLogger, RunLogger, Say
from openhdr.train.plan import check_batch, steps_per_unit
from openhdr.train.recipe import Recipe
from openhdr.train.schedules import learning_rate
from openhdr.train.sources import SOURCES, Source
from openhdr.train.state import State, new_state
from openhdr.train.step import take_step
from openhdr.train.validation import Validation, check_held_out, open_validation


@dataclass(frozen=True)
class Job:
    """One run, ready to go. per_unit: steps in one `run.unit`; total: steps of the whole run."""

    recipe: Recipe
    folder: Path
    context: DistributedContext
    examples: Examples
    state: State
    validation: Validation | None
    logger: RunLogger | NullLogger
    per_unit: int
    total: int


def train(recipe: Recipe, folder: Path, resume: bool = False, say: Say = lambda text: None) -> dict[str, Any]:
    """Train by a recipe in a run folder; returns where the weights are and the last validation scores (nothing
    in the other processes of a run).

    resume: continue from the newest checkpoint of the folder, or begin where there is none. say: is given
    lines for people. Raises OpenHDRError when the run cannot go on, naming the last good state.
    """
    with joined(recipe.compute.device) as context:
        job = _set_up(recipe, folder, resume, (context, say if context.first else lambda text: None))
        try:
            _run(job)
        except torch.OutOfMemoryError as error:
            raise _stopped(job, "memory ran out; raise run.accumulate or lower run.batch") from error
        except (OpenHDRError, OSError) as error:
            raise _stopped(job, str(error)) from error
        finally:
            job.logger.close()
        return _outcome(job) if context.first else {}


def _run(job: Job) -> None:
    """The loop itself."""
    recipe, state, run = job.recipe, job.state, job.recipe.run
    if job.validation and not state.history:
        _validate(job)
    steps = range(state.step, job.total)
    began = time.monotonic()
    with task("training", len(steps)) as advance:
        for pieces in batches(job.examples, run, recipe.compute, job.context, steps):
            lr = learning_rate(recipe, state.step, job.per_unit)
            losses = take_step(recipe, state, pieces, lr)
            state.step += 1
            if state.mean:
                state.mean.update(state.networks["net"].module, state.step)

            last = state.step == job.total
            over = run.minutes > 0 and any(gathered_objects(time.monotonic() - began > 60 * run.minutes))
            if last or over or state.step % run.log_every == 0:
                job.logger.losses(state.step, losses, lr)
            if job.validation and (last or state.step % recipe.validation.every == 0):
                _validate(job)
            if last or over or state.step % run.save_every == 0:
                if job.context.first:
                    state.save(job.folder, run.keep)
                    if last or over:
                        checkpoint.write_weights(state.net, recipe.network.name, job.folder / LAST)
                wait_for_all()
            advance()
            if over:
                break


def _set_up(recipe: Recipe, folder: Path, resume: bool, process: tuple[DistributedContext, Say]) -> Job:
    context, say = process
    device = choose_device(recipe.compute.device, context)
    check_batch(recipe, context.size)
    check_held_out(recipe)  # before data are prepared for hours
    if recipe.compute.threads:
        torch.set_num_threads(recipe.compute.threads)
    if context.first:
        prepare_folder(folder, resume, recipe)
    wait_for_all()
    source = _open_source(recipe, folder, context)
    state = new_state(recipe, device, context)
    begun = checkpoint.newest(folder, tidy=context.first)
    wait_for_all()
    if begun:
        state.resume(begun)
    per_unit = steps_per_unit(recipe, source.epoch)
    total = recipe.run.length * per_unit
    validation = open_validation(recipe, source, device)
    logger = RunLogger(folder, state.step, total, say) if context.first else NullLogger()
    if context.first:
        facts = {"training": f"{recipe.data.source}, {source.epoch} samples an epoch"}
        facts["validation"] = validation.what if validation else "none"
        describe_run(folder, recipe, (device, context.size), state.step, facts)
    bounded = cast(Network, state.net).bounded
    examples = Examples(source, recipe.objective, recipe.data, recipe.run.seed, bounded)
    return Job(recipe, folder, context, examples, state, validation, logger, per_unit, total)


def _open_source(recipe: Recipe, folder: Path, context: DistributedContext) -> Source[Any]:
    """The training data; the first process prepares what is missing, the others wait for it."""
    opener = SOURCES[recipe.data.source].load()
    if not context.first:
        wait_for_all()
    source = opener(recipe.data, recipe.run.seed, folder / "cache")
    if context.first:
        wait_for_all()
    return source


def _validate(job: Job) -> None:
    """Score the network on held-out scenes; keep its weights if none before were better."""
    validation, state, metric = job.validation, job.state, job.recipe.validation.metric
    if validation is None:
        return
    scores = validation.scores(state.net, job.context)
    if not state.history:
        reference = validation.scores_of_reference(job.context)
        state.history.append({"step": "reference frame alone", **reference})
        job.logger.note(f"validation on {validation.what}")
        job.logger.note(f"validation: reference frame alone  {_words(reference)}")
    earlier = [entry[metric] for entry in scored_by(metric, state.history)]
    best = all(validation.better(scores[metric], score) for score in earlier)
    state.history.append({"step": state.step, **scores})
    job.logger.note(
        f"validation after step {state.step}  {_words(scores)}{'  (best so far)' if best else ''}"
    )
    job.logger.scalars(state.step, {f"validation/{name}": value for name, value in scores.items()})
    if job.context.first:
        job.logger.pictures(state.step, validation.pictures(state.net))
        if best:
            checkpoint.write_weights(state.net, job.recipe.network.name, job.folder / BEST)
        write_choice(job.folder, job.recipe, validation.what, state.history)
    wait_for_all()


def _outcome(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = {"folder": str(job.folder), "steps": job.state.step}
    for name in (LAST, BEST):
        if (job.folder / name).is_file():
            found[name.partition(".")[0]] = str(job.folder / name)
    return {**found, "validation": job.state.history[-1]} if job.state.history else found


def _stopped(job: Job, why: str) -> OpenHDRError:
    last = checkpoint.newest(job.folder, tidy=False)
    good = f"the last good state is {last}" if last else "no checkpoint was written yet"
    return OpenHDRError(
        f"{why}; the run stopped after step {job.state.step}; {good}; go on from it with `resume=True`"
    )


def _words(scores: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
