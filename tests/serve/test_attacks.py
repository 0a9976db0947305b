"""What a page of another site, a file from a stranger or a curious request can do: nothing."""

from __future__ import annotations

import http.client
import json
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest


def request(
    server: Any, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Exactly these headers, whatever an ordinary client would make of them."""
    place = urlsplit(server.base)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": place.netloc, "Content-Length": str(len(body)), **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def upload(server: Any, name: str, data: bytes, folder: str = "") -> tuple[int, bytes]:
    return server.ask(f"/api/photos?name={quote(name, safe='')}&folder={quote(folder)}", "PUT", data)


def settled(server: Any) -> dict[str, Any]:
    """The listing when all photos have been looked at."""
    for _ in range(300):
        listing = server.listing()
        if all(one["looked"] and ("width" in one or one["problem"]) for one in listing["photos"].values()):
            return listing
        time.sleep(0.1)
    raise AssertionError("photos are never looked at")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1]"])
def test_another_host_name_is_refused(server: Any, host: str) -> None:
    """A name that points here (DNS rebinding) gets nothing, not even the page."""
    for path in ("/", "/assets/main.js", "/api/listing"):
        status, _, content = request(server, path, headers={"Host": host, "X-OpenHDR-Token": server.key})
        assert status == 400 and b"openhdr" not in content


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_is_refused_even_with_the_key(server: Any, headers: dict[str, str]) -> None:
    for path, method in (("/api/listing", "GET"), ("/api/photos?name=a.jpg", "PUT"), ("/", "GET")):
        assert request(server, path, method, headers | {"X-OpenHDR-Token": server.key})[0] == 403


@pytest.mark.parametrize("key", [None, "", "wrong", "é"])
def test_nothing_without_the_key(server: Any, key: str | None) -> None:
    given = {} if key is None else {"X-OpenHDR-Token": key}
    for path, method in (
        ("/api/listing", "GET"), ("/api/events", "GET"), ("/api/photos?name=a.jpg", "PUT"), ("/api/about", "GET"),
        ("/api/pictures/b1", "DELETE"), ("/api/exports/e1", "GET"),
    ):  # fmt: skip
        assert request(server, path, method, given)[0] == 403
    assert server.listing()["photos"] == {}


def test_the_page_may_run_nothing_but_itself(server: Any) -> None:
    for path in ("/", "/assets/main.js", "/api/listing"):
        _, headers, _ = request(server, path, headers={"X-OpenHDR-Token": server.key})
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers
    assert server.key not in request(server, "/")[2].decode()


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../app.py", "/assets/..%2Fapp.py", "/assets/%2e%2e/app.py", "/assets/..%5capp.py", "//etc/passwd",
        "/assets/%2Fetc%2Fpasswd", "/api/results/../../etc/0/0/0", "/api/photos/..%2F..%2Fx/thumbnail",
        "/api/results/r1/..%2Flight/0/0/0", "/api/exports/..%2F..%2Fetc%2Fpasswd",
    ],
)  # fmt: skip
def test_no_path_leads_out(server: Any, path: str) -> None:
    status, _, content = request(server, path, headers={"X-OpenHDR-Token": server.key})
    assert status in (404, 405) and b"root:" not in content and b"import" not in content


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x.jpg", "a/b.jpg", "a\\b.jpg", "C:x.jpg", "a\0.jpg", "a\n.jpg", "x" * 400 + ".jpg"],
)
def test_names_that_could_lead_out_are_refused(server: Any, name: str) -> None:
    assert upload(server, name, b"x")[0] == 422
    assert server.listing()["photos"] == {}


def test_a_folder_is_a_label_only(server: Any, bracket: list[Path]) -> None:
    before = {one for one in server.temporary.rglob("*") if one.is_dir()}
    assert upload(server, "0.jpg", bracket[0].read_bytes(), "../../../outside/..")[0] == 200
    (made,) = {one for one in server.temporary.rglob("*") if one.is_dir()} - before
    assert made.parent.name == "session"
    assert not (server.temporary.parent / "outside").exists()


def test_options_that_name_files_or_are_not_offered_are_refused(server: Any, bracket: list[Path]) -> None:
    for path in bracket:
        assert upload(server, path.name, path.read_bytes())[0] == 200
    (picture,) = settled(server)["pictures"]
    path = f"/api/pictures/{picture['id']}"
    secret = str(bracket[0])
    for options in (
        {"response": secret}, {"weights": secret}, {"method": secret}, {"like": secret}, {"save_response": "x"},
        {"reference": 1e12}, {"reference": "1"}, {"ev": secret}, {"deghost": "no"}, {"run": {"device": "cuda"}}, [],
    ):  # fmt: skip
        assert server.ask(path, "PATCH", json.dumps({"options": options}).encode())[0] == 422
    for tone in (
        {"operator": secret},
        {"operator": "look.toml"},
        {"operator": "drago", "options": {"bias": 7}},
        {},
    ):
        assert server.ask(path, "PATCH", json.dumps({"tone": tone}).encode())[0] == 422
    for strokes in (
        "x",
        [1],
        [{"frame": 1}],
        [{"frame": 1, "trust": "only", "radius": 1e400, "points": [[0, 0]]}],
    ):
        assert server.ask(path, "PATCH", json.dumps({"strokes": strokes}).encode())[0] == 422
    for suffix in (".py", "/../x.exr", ".exr/../../x", ""):
        body = json.dumps({"suffix": suffix, "light": True}).encode()
        assert server.ask(path + "/export", "POST", body)[0] == 422
    for body in (b"[1]", b"{", b"\xff", b"[" * 100_000):
        assert server.ask(path, "PATCH", body)[0] == 422
    assert server.listing()["pictures"][0]["options"] == {}


def test_a_shell_gets_names_in_quotes(server: Any, bracket: list[Path]) -> None:
    """The command line is copied into a shell: a name must not become a command."""
    for index, path in enumerate(bracket):
        assert upload(server, f"$(touch {index}) ;'.jpg", path.read_bytes())[0] == 200
    (picture,) = settled(server)["pictures"]
    body = json.dumps({"suffix": ".exr", "light": True, "options": {}}).encode()
    line = json.loads(server.ask(f"/api/pictures/{picture['id']}/command", "POST", body)[1])["command"]
    import shlex

    assert shlex.split(line)[:3] == ["openhdr", "merge", "$(touch 0) ;'.jpg"]


def test_a_bomb_is_named_and_the_server_lives(server: Any) -> None:
    """A small file that declares a large picture, and one that is cut off."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 16, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )
    assert upload(server, "bomb.png", png)[0] == 200
    assert upload(server, "cut.exr", b"\x76\x2f\x31\x01" + b"\xff" * 200)[0] == 200
    listing = settled(server)
    assert listing["pictures"] == []
    problems = sorted(one["problem"] for one in listing["photos"].values())
    assert problems[0].startswith("bomb.png") and problems[1].startswith("cut.exr")
    assert str(server.temporary) not in " ".join(problems)


def test_an_upload_that_breaks_off_leaves_nothing(server: Any) -> None:
    place = urlsplit(server.base)
    with socket.create_connection((place.hostname, place.port)) as connection:
        head = f"PUT /api/photos?name=half.jpg HTTP/1.1\r\nHost: {place.netloc}\r\nX-OpenHDR-Token: {server.key}\r\n"
        connection.sendall(head.encode() + b"Content-Length: 1000000\r\n\r\n" + b"\xff\xd8\xff" * 1000)
    for _ in range(50):
        if not list(server.temporary.rglob("half.jpg")):
            break
        time.sleep(0.1)
    assert list(server.temporary.rglob("half.jpg")) == []
    assert server.listing()["photos"] == {}


def test_requests_that_never_end_are_cut_off(server: Any) -> None:
    status, _ = server.ask("/api/pictures", "POST", b" " * (33 << 20))
    assert status == 422
