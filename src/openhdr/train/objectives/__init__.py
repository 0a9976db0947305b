"""What a step of training computes, one file a kind of system.

An objective is a frozen dataclass of its options with the methods of `openhdr.train.objectives.contract.Objective`.
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
        "One photo -> HDR: L1, MS-SSIM and a discriminator; then L1 and CIEDE2000.",
        "openhdr.train.objectives.two_stage:TwoStageObjective",
        extra="torch",
    ),
    Row(
        "stack-itm",
        "One photo -> exposures -> HDR: progressive L1, perceptual, masked discriminator, fusion.",
        "openhdr.train.objectives.stack_itm:StackITMObjective",
        extra="torch",
    ),
    Row(
        "trustnet",
        "A compared bracket -> HDR: consistency masks, a merge with gradients, refinement.",
        "openhdr.train.objectives.trustnet:TrustNetObjective",
        extra="torch",
    ),
    Row(
        "trustnet-single",
        "A reduced photo -> how bright its clipped light is: PU21 errors in dB.",
        "openhdr.train.objectives.trustnet_single:TrustNetSingleObjective",
        extra="torch",
    ),
)
