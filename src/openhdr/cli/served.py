"""Commands for a batch: asked for on standard input, one after another in one process (`openhdr.batch.process`)."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import click

from openhdr.batch.process import Tell, answer_requests
from openhdr.cli import COMMANDS, worded
from openhdr.cli.process import prepare
from openhdr.core.errors import OpenHDRError
from openhdr.core.files import write_whole

THUMBNAIL = 480  # pixels, the longer side


def serve() -> None:
    """Answer `{"command", "args", "picture", "thumbnail"}` by `{"facts", "notes"}` or `{"error"}` until input closes.

    picture: a file of the result to draw the thumbnail of; "" = none.
    """
    prepare()
    answer_requests(_answer)


def _answer(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    command = COMMANDS[request["command"]].load()
    said, noted = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(noted):
            command.main(request["args"], prog_name=f"openhdr {request['command']}", standalone_mode=False)
        if request["thumbnail"]:
            _draw(Path(request["picture"]), Path(request["thumbnail"]))
    except click.ClickException as error:
        return {"error": error.format_message()}
    except OpenHDRError as error:
        return {"error": worded(error, command)}
    notes = [line.removeprefix("note: ") for line in noted.getvalue().splitlines()]
    return {"facts": json.loads(said.getvalue() or "null"), "notes": notes}


def _draw(picture: Path, thumbnail: Path) -> None:
    from PIL import Image as Pillow

    with Pillow.open(picture) as opened:
        opened.draft("RGB", (THUMBNAIL, THUMBNAIL))
        small = opened.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        data = io.BytesIO()
        small.save(data, "JPEG", quality=85)
    write_whole(thumbnail, data.getvalue())
