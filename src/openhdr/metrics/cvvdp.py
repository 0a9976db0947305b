"""cvvdp: ColorVideoVDP (Mantiuk et al. 2024), by the authors' own package.

The package is an optional extra: it needs torch and a torchvision that fits it. It simulates the display
`standard_hdr_linear`: at most 1500 cd/m2, 0.0015 cd/m2 black, 75.4 pixels per degree. That is its own viewing
distance; `ppd` does not change it.

Domain: absolute display light, so a protocol has to be declared. Unit: JOD, 10 = no visible difference, higher
is better, one unit less is chosen by 75 % of the observers of a comparison.
"""

from __future__ import annotations

import numpy as np

from openhdr.core.errors import RequestError
from openhdr.metrics.pair import Pair

try:
    import pycvvdp
except ModuleNotFoundError:  # the table of metrics says which extra to install
    raise
except (ImportError, RuntimeError, AttributeError, OSError) as error:
    raise RequestError(
        f"'cvvdp' is installed, but its import fails ({type(error).__name__}: {error}); most often torchvision "
        "does not fit torch: install the torchvision release that belongs to your torch"
    ) from error

DISPLAY = "standard_hdr_linear"


def cvvdp(pair: Pair) -> float:
    """JOD of a pair with a protocol."""
    test, ref = (light.astype(np.float32) for light in pair.luminance)
    model = pycvvdp.cvvdp(display_name=DISPLAY, quiet=True)
    quality, _ = model.predict(test, ref, dim_order="HWC")
    return float(quality)
