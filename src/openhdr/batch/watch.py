"""Wait until photos have arrived: folders are looked at again and again, as network drives and buckets allow, too."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from openhdr import io
from openhdr.batch.storage import Stamp, is_url, open_storage
from openhdr.core.files import is_image

SETTLED_S, POLL_S = 10.0, 2.0  # how long folders have to stay as they are; between looks at them


def wait_for_change(folders: Sequence[str], results: str) -> None:
    """Until the photos in the folders have changed, and then stayed as they are for a while. results: passed over."""
    first = seen = listing(folders, results)
    since = time.monotonic()
    while seen == first or time.monotonic() < since + SETTLED_S:
        time.sleep(POLL_S)
        now = listing(folders, results)
        if now != seen:
            seen, since = now, time.monotonic()


def listing(folders: Sequence[str], results: str) -> dict[str, Stamp | None]:
    """Names of photos with what changes when they do."""
    found = {}
    for folder in folders:
        storage = open_storage(folder)
        for name in (one for one in storage.names() if is_image(one, io.ENDINGS)):
            path = f"{folder}/{name}" if is_url(folder) else os.path.abspath(os.path.join(folder, name))
            if not path.startswith(results if is_url(results) else os.path.abspath(results)):
                found[path] = storage.stamp(name)
    return found
