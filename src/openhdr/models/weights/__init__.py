"""Trained weights that come with openhdr: a file and a model card each, and a row here.

The first row of a network is what `openhdr merge --method NETWORK` uses. To ship a new version of a file, put it
here with its card and replace its row by what this prints:

    python scripts/weight_row.py src/openhdr/models/weights/FILE.safetensors
"""

from __future__ import annotations

from openhdr.core.table import Table
from openhdr.models.rows import WeightRow

WEIGHTS: Table[WeightRow] = Table("trained weights")
