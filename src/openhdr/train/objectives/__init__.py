"""What a step of training computes, one file a kind of system.

An objective is a frozen dataclass of its options, with

    example(sample, rng, bounded)              a sample -> arrays by name, as the networks take them
    truth(sample)                              (H, W, 3) linear light that a result is scored against
    critic()                                   the network trained against, or None
    net_terms(nets, batch, step)               weighted loss terms by name; their sum trains the network
    critic_terms(nets, batch, step)            the same for the critic

and, where its samples are not those of a bracket's three frames,

    one_by_one                                 True: samples differ in shape and make no common batch
    stand_in(side)                             a sample of that size without contents

`example` draws only from `rng`, which belongs to the sample, and terms draw nothing: what a step computes
depends on the recipe and the step's number alone.
"""

from __future__ import annotations

from openhdr.core.table import Row, Table

OBJECTIVES: Table[Row] = Table(
    "objective",
    Row(
        "merge",
        "Three frames -> HDR: mu-law L1, tanh L1 or both.",
        "openhdr.train.objectives.merge:Merge",
        extra="torch",
    ),
    Row(
        "two-stage",
        "One photo -> HDR: L1, MS-SSIM and a critic; then L1 and CIEDE2000.",
        "openhdr.train.objectives.two_stage:TwoStageObjective",
        extra="torch",
    ),
    Row(
        "stack-itm",
        "One photo -> exposures -> HDR: progressive L1, perceptual, masked critic, fusion.",
        "openhdr.train.objectives.stack_itm:StackITMObjective",
        extra="torch",
    ),
    Row(
        "trustnet",
        "A compared bracket -> HDR: what to trust, a merge with gradients, refinement.",
        "openhdr.train.objectives.trustnet:TrustNetObjective",
        extra="torch",
    ),
)
