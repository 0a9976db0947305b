"""The two-stage network: see the package.

Both stages pass the photo, and what is clipped is LIFT times as bright, which is nearer to the truth than 1.
"""

from __future__ import annotations

from openhdr.color.transfer import NETWORK_GAMMA
from openhdr.models.two_stage import OUTER, WIDTH, ResidualDenseBlock, TwoStage
from openhdr.train.hand_wired import LIFT
from openhdr.train.hand_wired.wiring import COLOURS, copies, wire

FROM = 0.95  # gamma-coded value from which light is lifted, more and more towards 1
LIGHT, RAMP = 0, 3  # first channels of the photo and of the ramp from 0 to 1 above FROM


def initialise(net: TwoStage) -> None:
    """Set the weights of the design with both stages."""
    wire(net.stage1.output, {c: {} for c in COLOURS})
    stage, dense = net.stage2, net.stage2.dense[0]
    assert isinstance(dense, ResidualDenseBlock)
    wire(stage.input, copies(LIGHT, 0))
    wire(stage.input, {RAMP + c: {} for c in COLOURS})
    wire(dense.layers[0], copies(0, LIGHT, 1 / (1 - FROM)), bias=-FROM / (1 - FROM))
    wire(dense.merge, copies(RAMP, WIDTH))
    wire(stage.get_submodule("gates.0.conv"), {RAMP + c: {} for c in COLOURS})
    height = LIFT ** (1 / NETWORK_GAMMA) - 1
    wire(stage.output, copies(0, RAMP, height / (OUTER * dense.inner)))
