"""A running server, and a browser that looks at its page."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(str(resources.files("openhdr") / "demo"))
BRACKET = [DEMO / f"{number}.jpg" for number in range(3)]
SECONDS = 90_000  # milliseconds for a merge on a busy machine


@dataclass
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    temporary: Path
    key: str = field(init=False)
    base: str = field(init=False)

    def __post_init__(self) -> None:
        self.base, _, self.key = self.address.partition("/#")

    def ask(
        self, path: str, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and content; the key is sent unless `headers` say otherwise."""
        sent = {"x-openhdr-token": self.key, **(headers or {})}
        request = urllib.request.Request(self.base + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def listing(self) -> dict[str, Any]:
        return json.loads(self.ask("/api/listing")[1])

    def memory_gb(self) -> float:
        """Of all its processes; what they share counts once."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        family = {self.process.pid}
        while more := {child for child, parent in parents.items() if parent in family} - family:
            family |= more
        kilobytes = 0
        for pid in family:
            with contextlib.suppress(OSError):
                facts = Path(f"/proc/{pid}/smaps_rollup").read_text()
                kilobytes += int(facts.partition("\nPss:")[2].split()[0])
        return kilobytes * 1024 / 1e9


def serve(temporary: Path, *arguments: str) -> Served:
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "openhdr", "serve", "--no-open", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    return Served(process, process.stdout.readline().strip(), temporary)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """`start("FOLDER", ...)`: a server of its own, ended with the test."""
    pytest.importorskip("starlette", reason="needs the extra 'web'")
    started: list[Served] = []

    def begin(*arguments: str) -> Served:
        started.append(serve(tmp_path / "temporary", *arguments))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("starlette", reason="needs the extra 'web'")
    server = serve(tmp_path_factory.mktemp("serve"))
    yield server
    server.process.terminate()
    assert server.process.wait(20) in (0, 143)
    server.process.stdout.close()
    assert list(server.temporary.glob("openhdr-serve-*")) == []


@pytest.fixture(scope="session")
def bracket() -> list[Path]:
    return BRACKET


@pytest.fixture
def server(shared_server: Served) -> Served:
    """Without photos."""
    shared_server.ask("/api/photos", "DELETE")
    return shared_server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        arguments = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = started.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, server: Served) -> Iterator[Any]:
    """The page, open; what its scripts complain about fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.address)
    yield page
    context.close()
    assert complaints == []
