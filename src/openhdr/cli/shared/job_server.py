"""Calls for a batch: asked for on standard input, one after another in one process (`openhdr.batch.process`)."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from pathlib import Path
from typing import Any

import click

from openhdr.batch.process import Tell, answer_requests
from openhdr.cli import COMMANDS, SURROUNDINGS, refusal, worded
from openhdr.cli.shared.process import prepare
from openhdr.core.errors import OpenHDRError, UnavailableError
from openhdr.core.files import write_whole

THUMBNAIL = 480  # pixels, the longer side


def serve() -> None:
    """Answer `{"target", "given", "tells"}` by what the function answers, or `{"error"}`, until input closes.

    tells: whether the function takes `tell`, too.
    """
    prepare()
    answer_requests(_answer)


def _answer(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    module, name = request["target"].split(":")
    try:
        more = {"tell": tell} if request["tells"] else {}
        return getattr(importlib.import_module(module), name)(**request["given"], **more)
    except OpenHDRError as error:
        return {"error": str(error)}


def run_command(command: str, args: list[str], picture: str = "", thumbnail: str = "") -> dict[str, Any]:
    """`{"facts", "notes"}`, what a command says as JSON and on standard error, or `{"error", "passing"}`.

    passing: whether the disk or the system refused, and not the photos or the options.
    picture: a file of the result to draw the thumbnail of; "" = none.
    """
    called = COMMANDS[command].load()
    said, noted = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(noted):
            called.main(args, prog_name=f"openhdr {command}", standalone_mode=False)
        if thumbnail:
            _draw(Path(picture), Path(thumbnail))
    except click.ClickException as error:
        return {"error": error.format_message()}
    except OpenHDRError as error:
        return {"error": worded(error, called), "passing": isinstance(error, UnavailableError)}
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        return {"error": refusal(error), "passing": True}
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
