"""Trained weights that come with openhdr: a file and a model card each, and a row here.

The first row of a network is what `openhdr merge --method NETWORK` uses. To ship a new version of a file, put it
here with its card and replace its row by what this prints:

    python scripts/weight_row.py src/openhdr/models/weights/FILE.safetensors
"""

from __future__ import annotations

from openhdr.core.table import Table
from openhdr.models.rows import WeightRow

SIMULATED = "simulated brackets of CC0 and BSD panoramas, see docs/how-to/train.md"

WEIGHTS: Table[WeightRow] = Table(
    "trained weights",
    WeightRow(
        "trustnet",
        "brackets of 2 to 9 frames: the merger's own network, to go on training",
        "trustnet.safetensors",
        network="trustnet",
        sha256="09e3de4ec3214cfdef27d94dafcc377f65a5fe954e5a481eb386ee8c8405f859",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 40.91, "psnr-mu@shortest, public": 47.37},
    ),
    WeightRow(
        "trustnet-tiny",
        "the same with a quarter of the arithmetic",
        "trustnet-tiny.safetensors",
        network="trustnet-tiny",
        sha256="8f4360445ba2cc4ef3c5e96717ef4a531ee7cf4fc3acf36e1258cbac774592a2",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 40.19},
    ),
    WeightRow(
        "eapnet-light",
        "registered brackets of three frames; begun as a plain merge, trained for minutes",
        "eapnet-light.safetensors",
        network="eapnet-light",
        sha256="2250dc1c27f341e284bebf04adb0cf556bcc1a972c7a99b0eeddae77c4aeb86c",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 40.47, "ntire-psnr-mu, validation": 41.16},
    ),
)
