"""The command and its process: what it prints, what it leaves behind, what it does with a folder."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from openhdr import io
from openhdr.serve.jobs import Job
from openhdr.serve.library import Library


def wait(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What `found` returns as soon as that is something."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if result := found():
            return result
        time.sleep(0.1)
    raise AssertionError("it never happens")


def made(server: Any, picture: str) -> dict[str, Any]:
    def result() -> dict[str, Any] | None:
        (one,) = [one for one in server.listing()["pictures"] if one["id"] == picture]
        assert one["error"] == ""
        return one["result"] if one["result"] and not one["result"]["stale"] else None

    server.ask(f"/api/pictures/{picture}/make", "POST")
    return wait(result)


def grouped(server: Any, photos: int) -> list[dict[str, Any]]:
    """The pictures when all photos have been looked at."""

    def pictures() -> list[dict[str, Any]] | None:
        listing = server.listing()
        ready = [one for one in listing["photos"].values() if one["looked"] and "width" in one]
        members = sum(len(one["photos"]) for one in listing["pictures"])
        return listing["pictures"] if len(ready) == photos == members else None

    return wait(pictures)


def test_a_folder_is_shown_and_left_alone(start: Any, bracket: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    for path in bracket:
        shutil.copy(path, folder)
    server = start(str(folder))
    (picture,) = grouped(server, 3)
    assert picture["command"] == "merge"
    server.ask("/api/photos", "DELETE")
    assert server.listing()["photos"] == {}
    assert sorted(one.name for one in folder.iterdir()) == ["0.jpg", "1.jpg", "2.jpg"]


def test_nothing_is_left_behind(start: Any, bracket: list[Path]) -> None:
    server = start()
    assert server.ask("/api/photos?name=0.jpg", "PUT", bracket[0].read_bytes())[0] == 200
    assert list(server.temporary.glob("openhdr-serve-*/session/p*/0.jpg"))
    server.process.terminate()
    server.process.wait(20)
    assert list(server.temporary.glob("openhdr-serve-*")) == []


def test_what_a_killed_server_left_is_removed_by_the_next(start: Any, bracket: list[Path]) -> None:
    first, living = start(), start()
    (left,) = [one for one in first.temporary.glob("openhdr-serve-*") if not _locked_by(one, living)]
    first.process.kill()
    first.process.wait()
    assert left.exists()
    start()
    assert not left.exists()
    assert living.ask("/api/listing")[0] == 200 and len(list(first.temporary.glob("openhdr-serve-*"))) == 2


def _locked_by(folder: Path, server: Any) -> bool:
    descriptors = Path(f"/proc/{server.process.pid}/fd")
    if not descriptors.exists():
        pytest.skip("needs /proc")
    return any(one.resolve() == folder / ".lock" for one in descriptors.iterdir())


def test_workers_end_with_a_killed_server(start: Any) -> None:
    server = start()
    children = wait(
        lambda: subprocess.run(
            ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True
        ).stdout.split()
    )
    server.process.kill()
    server.process.wait()
    wait(lambda: not any(Path(f"/proc/{one}").exists() for one in children))


def test_a_photo_by_itself_is_expanded_and_light_is_opened(
    start: Any, bracket: list[Path], tmp_path: Path
) -> None:
    server = start()
    for path in (bracket[1], bracket[0].with_name("gt.exr")):
        assert server.ask(f"/api/photos?name={path.name}", "PUT", path.read_bytes())[0] == 200
    pictures = {one["command"]: one for one in grouped(server, 2)}
    assert pictures.keys() == {"expand", "open"}
    light = made(server, pictures["open"]["id"])
    truth = io.read(bracket[0].with_name("gt.exr")).pixels
    status, content = server.ask(f"/api/results/{light['id']}/probe?x=0.3&y=0.6")
    assert status == 200
    height, width = truth.shape[:2]
    assert json.loads(content)["light"] == pytest.approx(truth[int(0.6 * height), int(0.3 * width)].tolist())
    assert made(server, pictures["expand"]["id"])["peak"] > 1.2


def test_photos_are_joined_and_taken_apart_by_hand(start: Any, bracket: list[Path]) -> None:
    server = start()
    for path in bracket:
        assert server.ask(f"/api/photos?name={path.name}", "PUT", path.read_bytes())[0] == 200
    (picture,) = grouped(server, 3)
    server.ask(f"/api/pictures/{picture['id']}/split", "POST")
    singles = grouped(server, 3)
    assert [one["command"] for one in singles] == ["expand"] * 3
    photos = [one["photos"][0] for one in singles[:2]]
    assert server.ask("/api/pictures", "POST", json.dumps({"photos": photos}).encode())[0] == 200
    by_hand = next(one for one in server.listing()["pictures"] if one["by_hand"])
    assert by_hand["photos"] == photos
    assert server.ask("/api/pictures", "POST", json.dumps({"photos": photos[:1]}).encode())[0] == 422


def test_two_photos_of_one_name_are_one(start: Any, bracket: list[Path]) -> None:
    server = start()
    answers = [server.ask("/api/photos?name=0.jpg", "PUT", bracket[0].read_bytes()) for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_merge_that_memory_does_not_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, bracket: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("starlette", reason="needs the extra 'web'")
    from openhdr.core.errors import RequestError
    from openhdr.serve import session
    from openhdr.serve.pictures import Photo, Picture

    photos = [
        Photo(
            str(k),
            PurePosixPath(f"{k}.jpg"),
            tmp_path / f"{k}.jpg",
            tmp_path,
            own=False,
            info=io.probe(bracket[0]),
        )
        for k in range(3)
    ]
    monkeypatch.setattr(session, "free_gb", lambda: 0.2)
    with pytest.raises(
        RequestError, match=r"3 photos of 1 megapixels takes [\d.]+ GB of memory and 0.2 GB are free"
    ):
        session.Session(tmp_path).start(Picture("b1", photos, "merge"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "openhdr", "serve", "--no-open", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_what_cannot_be_served_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="needs the extra 'web'")
    done = run(str(tmp_path / "missing"))
    assert done.returncode == 2 and "does not exist" in done.stderr and done.stderr.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2 and "--port" in done.stderr and done.stderr.count("\n") == 1


def test_both_processes_look_at_photos_unless_one_is_busy(tmp_path: Path) -> None:
    """Half of the photos each; while something is merged, one looks at all."""

    async def work_of(merging: bool) -> list[int]:
        library = Library(tmp_path / str(merging))
        for lane in library.lanes:
            lane.waiting.clear()
        if merging:
            library.slow.add(Job({"do": "merge"}, "merging"))
        for number in range(6):
            await library.add_upload(f"{number}.jpg", "", chunks(b"no photo"))
        for task in library.tasks:
            task.cancel()
        return [sum(job.request["do"] == "describe" for job in lane.jobs) for lane in library.lanes]

    async def chunks(data: bytes) -> AsyncIterator[bytes]:
        yield data

    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave a loop that runs in this one
        for merging, expected in ((False, [3, 3]), (True, [6, 0])):
            (tmp_path / str(merging)).mkdir()
            assert thread.submit(asyncio.run, work_of(merging)).result() == expected
