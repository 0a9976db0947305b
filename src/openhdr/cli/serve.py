"""`openhdr serve`: a page on this machine to drop photos on."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from openhdr.cli.shared.command import command
from openhdr.core.errors import FileError, MissingExtraError, RequestError
from openhdr.core.options import argument, option
from openhdr.core.version import __version__

PREFIX, LOCK = "openhdr-serve-", ".lock"
LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Request:
    """The command's arguments and options."""

    folder: Path | None = argument("[FOLDER]", default=None)
    host: str = option(
        "Address to listen on. Others than this machine's own are reached from outside.", "127.0.0.1"
    )
    port: int = option("Port to listen on; 0 = any that is free.", 0)
    no_open: bool = option("Do not open a browser.", False)
    as_json: bool = option("Print address and version as JSON.", False, flags=("--json",))


@command("serve", Request)
def serve(request: Request) -> None:
    """Open a page in the browser to merge, look at, retouch and export photos. Nothing leaves this machine.

    \b
    openhdr serve
    openhdr serve DCIM/

    The first line printed is the page's address; it holds a key that is new with every start. Ctrl-C ends it.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ModuleNotFoundError as error:
        raise MissingExtraError("the page needs 'starlette' and 'uvicorn', which", "web") from error
    from openhdr.io import isolated
    from openhdr.serve.app import make_app

    if request.folder is not None and not request.folder.exists():
        raise FileError(request.folder, "does not exist")
    os.environ[isolated.VARIABLE] = "1"  # for this process and its workers
    token = secrets.token_urlsafe(24)
    try:
        listening = socket.create_server((request.host, request.port))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise RequestError(
            f"`host={request.host}` and `port={request.port}` cannot be listened on ({why})"
        ) from error
    with listening as listener, scratch_folder() as root:
        port = listener.getsockname()[1]
        own = request.host in LOOPBACK
        address = f"http://{'127.0.0.1' if request.host in (*LOOPBACK, '0.0.0.0') else request.host}:{port}/#{token}"
        facts = {"address": address, "openhdr": __version__}
        click.echo(json.dumps(facts) if request.as_json else address)
        if not own:
            click.echo(
                "note: everyone who can reach this address and knows the key can use the page", err=True
            )
        hosts = frozenset(LOOPBACK) if own else frozenset()
        config = uvicorn.Config(
            make_app(root, token, hosts, request.folder), log_level="error", server_header=False, lifespan="on",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        if not request.no_open:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder, removed at the end; what a killed server left behind is removed, too."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (left / LOCK).open("w") as lock:
            _hold(lock)
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        root = Path(folder, "session")
        root.mkdir()
        with root.with_name(LOCK).open("w") as lock:
            with contextlib.suppress(OSError):
                _hold(lock)
            yield root


def _hold(lock: IO[str]) -> None:
    """Lock a file as long as it is open. Raises OSError where another process does, or the system cannot (Windows)."""
    try:
        import fcntl
    except ModuleNotFoundError as error:
        raise OSError from error
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
