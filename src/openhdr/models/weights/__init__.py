"""Trained weights that come with openhdr: a file and a model card each, and a row here.

The first row of a network is what `openhdr merge --method NETWORK` uses. To ship a new version of a file, put it
here with its card and replace its row by what this prints:

    python scripts/weight_row.py src/openhdr/models/weights/FILE.safetensors
"""

from __future__ import annotations

from openhdr.core.table import Table
from openhdr.models.rows import WeightRow

SIMULATED = "simulated brackets of CC0 and BSD panoramas, see docs/how-to/train.md"

UNTRAINED = "none: set by the formula of openhdr.train.beginnings, scored on simulated brackets"

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
        "ahdrnet",
        "a plain merge set by hand in the form of the network; not trained",
        "ahdrnet.safetensors",
        network="ahdrnet",
        sha256="7b1d1f4d97024113d741777651d9352835de8cb5d46dfcf253f6e1cfbd6e7fa1",
        licence="Apache-2.0",
        training_data=UNTRAINED,
        scores={"psnr-mu@shortest, validation": 40.64, "ntire-psnr-mu, validation": 41.12},
        ev_steps=(1, 3),
    ),
    WeightRow(
        "adnet",
        "a plain merge set by hand in the form of the network; not trained",
        "adnet.safetensors",
        network="adnet",
        sha256="a249dfe12cee8c854204477fa7ba0e2b42114c7161b01d0f2aef63e57e3583a5",
        licence="Apache-2.0",
        training_data=UNTRAINED,
        scores={"psnr-mu@shortest, 6 brackets of training panoramas": 46.75},
        ev_steps=(1, 3),
    ),
    WeightRow(
        "gsanet",
        "registered brackets of three frames; 3,600 steps, 0.5 hours of one core",
        "gsanet.safetensors",
        network="gsanet",
        sha256="f0e22708a101d457c13f223a642e32dc48420da23e960aed000738d1baeb13ac",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 41.96, "ntire-psnr-mu, validation": 42.50},
        ev_steps=(1, 3),
    ),
    WeightRow(
        "eapnet",
        "registered brackets of three frames; begun as eapnet-light, then 2,400 steps, 0.4 hours of one core",
        "eapnet.safetensors",
        network="eapnet",
        sha256="571cadfa26a5f4d7a30114f9c12cf25c84eed9ab9f7c9dfc01273a0373767780",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 41.63, "ntire-psnr-mu, validation": 42.28},
        ev_steps=(1, 3),
    ),
    WeightRow(
        "eapnet-light",
        "registered brackets of three frames; 6,715 steps, 0.9 hours of one core",
        "eapnet-light.safetensors",
        network="eapnet-light",
        sha256="fc73b9236a1b7b81d116ea6de18e201ceee0fa93449275dd65ad9ce04771f685",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, validation": 41.60, "ntire-psnr-mu, validation": 42.25},
        ev_steps=(1, 3),
    ),
    WeightRow(
        "two-stage",
        "brightens what one photo clips; begun as the photo, 180 steps",
        "two-stage.safetensors",
        network="two-stage",
        sha256="74d70e0d0241ffe10a33592607638eb1a9f31fb50a462dc2bbb9ae1a9d567a89",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"pu21-psnr, validation": 21.65},
    ),
    WeightRow(
        "stack-itm",
        "brightens what one photo clips; begun as the photo, 360 steps; no exposures to use",
        "stack-itm.safetensors",
        network="stack-itm",
        sha256="549c57de7080e0e90ec965fbcfd36ee18687528f3dd07c6e4b16e2628a1691a6",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"pu21-psnr, validation": 21.2},
    ),
)
