"""Trained weights that come with openhdr: a file and a model card each, and a row here.

The network for one photo is here as the ONNX file that its method runs; training goes on from that, too.

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
        sha256="3357fbeb281bf7c039f3b89e8ba34c35742be916e2774398fd5ca9fbc64aa69e",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, public": 47.82, "psnr-mu@shortest, public-real-camera": 37.67},
    ),
    WeightRow(
        "trustnet-tiny",
        "the same with a smaller first network",
        "trustnet-tiny.safetensors",
        network="trustnet-tiny",
        sha256="2a3db5791316db0e00f88d38de3ffbcfdf328c590a27e6685c37a4bf7d0469be",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"psnr-mu@shortest, public": 47.87, "psnr-mu@shortest, public-real-camera": 37.31},
    ),
    WeightRow(
        "trustnet-single",
        "one photo: the network of the default expansion, to go on training; 3,100 steps, 0.4 hours of one core",
        "trustnet-single.onnx",
        network="trustnet-single",
        sha256="962bac936b60806509aa8854da795b44961cd59fdbda43b5888d418af990c915",
        licence="Apache-2.0",
        training_data="simulated photos of CC0 panoramas",
        scores={"pu21-psnr, public-single": 28.12},
    ),
    WeightRow(
        "ahdrnet",
        "registered brackets of three frames; 4,000 steps, 0.6 hours of one core",
        "ahdrnet.safetensors",
        network="ahdrnet",
        sha256="8b49a0ee728fb415dd062f886e9021365b031a72d3bdbf40b043566a7f9de7bc",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={
            "psnr-mu@shortest, public": 44.35,
            "psnr-mu@shortest, public-real-camera": 35.19,
            "psnr-mu@shortest, validation": 42.02,
        },
        ev_steps=(1, 3),
    ),
    WeightRow(
        "adnet",
        "registered brackets of three frames; 4,650 steps, 1.3 hours of one core",
        "adnet.safetensors",
        network="adnet",
        sha256="7e6e17eaf6ea6696d07f0b8a91d464cd052cefa9151374667b3aad30bb044c8d",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={
            "psnr-mu@shortest, public": 46.85,
            "psnr-mu@shortest, public-real-camera": 35.62,
            "psnr-mu@shortest, 21 of validation": 44.02,
        },
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
        scores={
            "psnr-mu@shortest, public": 45.2,
            "psnr-mu@shortest, public-real-camera": 35.12,
            "psnr-mu@shortest, validation": 42.43,
        },
        ev_steps=(1, 3),
    ),
    WeightRow(
        "eapnet",
        "brackets of three frames, registered better; begun as eapnet-light, then 5,600 steps, 0.7 hours of one core",
        "eapnet.safetensors",
        network="eapnet",
        sha256="8f59264813ba96920ea50e7934fb3977efc156b011998f7c93bd7108325823f4",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={
            "psnr-mu@shortest, public": 46.38,
            "psnr-mu@shortest, public-real-camera": 35.33,
            "psnr-mu@shortest, 21 of validation": 43.33,
        },
        ev_steps=(1, 3),
    ),
    WeightRow(
        "eapnet-light",
        "registered brackets of three frames; 8,415 steps, 1.1 hours of one core",
        "eapnet-light.safetensors",
        network="eapnet-light",
        sha256="8270cdfb4de04e2caff294c4e6fb166671666725c846a867518c3cd39a70c635",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={
            "psnr-mu@shortest, public": 46.06,
            "psnr-mu@shortest, public-real-camera": 35.34,
            "psnr-mu@shortest, 21 of validation": 43.11,
        },
        ev_steps=(1, 3),
    ),
    WeightRow(
        "two-stage",
        "brightens what one photo clips; begun as the photo, 1,630 steps, 0.4 hours of one core",
        "two-stage.safetensors",
        network="two-stage",
        sha256="7a725af8c2290e5b0dd20ecfa7c6dbae8dea1da83406bacf74f314f384842500",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"pu21-psnr, validation": 22.24},
    ),
    WeightRow(
        "stack-itm",
        "brightens what one photo clips, predicts it two stops longer and shorter; 2,617 steps, 0.8 hours of one core",
        "stack-itm.safetensors",
        network="stack-itm",
        sha256="7241fc46eea3039fb11b087fa0568b254cb95396b34134eb5ef15a881797854c",
        licence="Apache-2.0",
        training_data=SIMULATED,
        scores={"pu21-psnr, validation": 23.44},
    ),
)
