"""The name that openhdr leaves in files it writes."""

from __future__ import annotations

import openhdr

SOFTWARE = f"openhdr {openhdr.__version__}"
