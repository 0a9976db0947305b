"""Layer 6: training of every network by one loop.

loop                     the loop, from the first line to the last
recipe, settings         what a recipe file may say; TOML -> frozen dataclasses
objectives/              what a step computes: merge, two-stage, stack-itm, trustnet
sources/                 samples by number: simulated, compared (for trustnet), or patches of a dataset
critics/                 discriminators that one-photo networks are trained against
beginnings/              first weights from which the small recipes learn on
examples, step, state    a batch; one optimiser step; everything that changes
schedules, ema           learning rate, running mean of the weights
validation               scores on held-out scenes, which choose the weights
folder, checkpoint       the run folder; states to resume from, whole or absent
journal                  run.json, losses, TensorBoard
distributed              several processes, by torchrun
plan                     a run before it is done: steps, memory
"""
