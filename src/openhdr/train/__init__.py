"""Training of every network by one loop.

loop                     the loop, from the first line to the last
recipe, settings         what a recipe file may say; TOML -> frozen dataclasses
objectives/              what a step computes: merge, two-stage, stack-itm, trustnet, trustnet-single
sources/                 samples by number: simulated, compared (for trustnet), views, or patches of a dataset
losses/                  metrics with gradients
discriminators/          what the one-photo networks are trained against, one file a paper
hand_wired/              weights set by formula, from which the small recipes start
trustnet_sample          a registered bracket as TrustNet's networks see it
exposed_photo            a photo as the network of trustnet-single sees it
examples, step, state    a batch; one optimiser step; everything that changes
schedules, ema           learning rate, running mean of the weights
validation               scores on held-out scenes, which choose the weights
folder, checkpoint       the run folder; states to resume from, whole or absent
logger                  run.json, losses, TensorBoard
distributed              several processes, by torchrun
plan                     a run before it is done: steps, memory
"""
