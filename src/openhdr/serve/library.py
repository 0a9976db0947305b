"""The photos of a session: received, looked at, grouped into brackets.

All state lives in the event loop's thread. Files are looked at by workers (`jobs`, `worker`).
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib import resources
from pathlib import Path, PurePosixPath

from openhdr import io
from openhdr.batch.card import brackets_of, photos_in, shot_of
from openhdr.bracketing.grouping import why_none
from openhdr.core.errors import OpenHDRError, RequestError, printable
from openhdr.core.files import natural_order
from openhdr.core.threads import cores
from openhdr.serve import forms
from openhdr.serve.jobs import Job, Lane
from openhdr.serve.pictures import Photo, Picture, Result

MOST_PHOTOS, MOST_FILE_BYTES, FREE_BYTES = 10_000, 2 << 30, 2 << 30  # of a session; of one; left on the disk
MOST_NAME = 150  # characters
SECONDS_TO_LOOK, REGROUP_S = 120.0, 0.7

APART = {
    "unknown exposure": "no shutter time in its metadata",
    "same exposure": "same exposure as the photo before",
    "other size": "not the size of the photo before",
    "other camera": "another camera than the photo before",
    "long pause": "taken long after the photo before",
    "no bracket": "looks like a photo taken by itself",
}
"""Why a photo belongs to no bracket, in words."""


class Library:
    """Photos and the pictures that they make. root: an empty folder for everything. threads: cores of each process."""

    def __init__(self, root: Path, threads: int | None = None) -> None:
        self.root = root
        self.numbers = itertools.count(1)
        self.photos: dict[str, Photo] = {}
        self.pictures: dict[str, Picture] = {}
        self.results: dict[str, Result] = {}
        self.version, self.changed = 0, asyncio.Event()
        self.arriving, self.probing, self.regrouping = 0, asyncio.Lock(), False
        self.quick = Lane("q", threads or cores(), self._notify)  # what somebody waits for
        self.slow = Lane("s", threads or cores(), self._notify)
        self.tasks: set[asyncio.Task[None]] = set()
        for lane in self.lanes:
            lane.add(Job({"do": "warm", "networks": lane is self.slow}, "starting"))

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        return self.quick, self.slow

    def _notify(self) -> None:
        self.changed.set()

    def touch(self) -> None:
        """What the listing tells has changed."""
        self.version += 1
        self.changed.set()

    def new_folder(self, kind: str) -> tuple[str, Path]:
        identifier = f"{kind}{next(self.numbers)}"
        folder = self.root / identifier
        folder.mkdir()
        return identifier, folder

    async def warm(self) -> None:
        """Start the process that the first photo would wait for when its facts are asked for."""
        async with self.probing:
            with resources.as_file(resources.files("openhdr.demo") / "0.jpg") as path:
                await asyncio.to_thread(io.probe, path)

    # photos

    def add_folder(self, folder: Path) -> None:
        """The photos of a folder of this machine, where they are."""
        for path in photos_in(folder):
            identifier, scratch = self.new_folder("p")
            place = path.relative_to(folder) if folder.is_dir() else path.name
            self._add(Photo(identifier, PurePosixPath(folder.name, place), path, scratch, own=False))

    async def add_upload(self, name: str, folder: str, content: AsyncIterator[bytes]) -> Photo:
        """A photo that a browser sends. Raises RequestError for names, numbers and sizes that are refused."""
        key = self.key(name, folder)
        if len(self.photos) >= MOST_PHOTOS:
            raise RequestError(f"there are {MOST_PHOTOS} photos already; remove some first")
        identifier, scratch = self.new_folder("p")
        path = scratch / key.name
        self.arriving += 1
        try:
            size = 0
            with path.open("xb") as file:
                async for chunk in content:
                    size += len(chunk)
                    if size > MOST_FILE_BYTES:
                        raise RequestError(f"{path.name}: is larger than {MOST_FILE_BYTES >> 30} GB")
                    if shutil.disk_usage(self.root).free - len(chunk) < FREE_BYTES:
                        raise RequestError(f"{path.name}: the disk of the temporary folder is nearly full")
                    file.write(chunk)
        except BaseException:
            shutil.rmtree(scratch)
            raise
        finally:
            self.arriving -= 1
        same = next((one for one in self.photos.values() if one.key == key), None)
        if same is not None:
            shutil.rmtree(scratch)
            return same
        photo = Photo(identifier, key, path, scratch, own=True)
        self._add(photo)
        return photo

    @staticmethod
    def key(name: str, folder: str) -> PurePosixPath:
        """A name is a label and the last part of a path in a folder of ours: what could lead out of it is refused."""
        if (
            name != printable(name)
            or not 0 < len(name) <= MOST_NAME
            or name in (".", "..")
            or set(name) & set("/\\:")
        ):
            raise RequestError("the name of the file cannot be used")
        parts = [part for part in printable(folder)[:MOST_NAME].split("/") if part not in ("", ".", "..")]
        return PurePosixPath(*parts, name)

    def _add(self, photo: Photo) -> None:
        self.photos[photo.id] = photo
        request = {"do": "describe", "path": str(photo.path), "into": str(photo.scratch)}
        free = all(job.request["do"] == "describe" for job in self.slow.jobs)
        helps = free and len(self.slow.jobs) < len(self.quick.jobs)
        (self.slow if helps else self.quick).add(
            Job(
                request,
                photo.key.name,
                photo.id,
                seconds=SECONDS_TO_LOOK,
                finished=lambda job: self._looked(photo, job),
            )
        )
        task = asyncio.get_running_loop().create_task(self._probe(photo))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self.touch()

    async def _probe(self, photo: Photo) -> None:
        """Facts of a photo, one after another: one process is enough for all."""
        try:
            async with self.probing:
                info = await asyncio.to_thread(io.probe, photo.path)
        except OpenHDRError as error:
            photo.problem = self.said(photo, str(error))
        else:
            photo.info = replace(info, path=Path(photo.key))
        more = self.arriving or any(one.info is None and not one.problem for one in self.photos.values())
        if not more:
            self._regroup()
        elif not self.regrouping:  # now and then while more are coming
            self.regrouping = True
            asyncio.get_running_loop().call_later(REGROUP_S, self._regroup)

    def _looked(self, photo: Photo, job: Job) -> None:
        photo.look = job.answer if job.state == "done" else {}
        if job.error and not photo.problem:
            photo.problem = self.said(photo, job.error)
            self._regroup()
        self.touch()

    def said(self, photo: Photo, error: str) -> str:
        """A message with the name that the user knows, not that of the temporary file."""
        return error.replace(printable(str(photo.path)), photo.key.name)

    def remove(self, photos: list[Photo]) -> None:
        """Take photos and the pictures with them off the page; files in the user's folders stay."""
        for picture in list(self.pictures.values()):
            if set(picture.photos) & set(photos):
                self._forget(picture)
        for photo in photos:
            self.photos.pop(photo.id, None)
            shutil.rmtree(photo.scratch, ignore_errors=True)
        self._regroup()

    def _forget(self, picture: Picture) -> None:
        for lane in self.lanes:
            for job in [one for one in lane.jobs if one.target == picture.id]:
                lane.cancel(job)
        waiting, picture.then = picture.then, []
        for action in waiting:
            action(False)
        for result in (picture.draft, picture.result):
            self.discard(result)
        self.pictures.pop(picture.id, None)
        self.touch()

    def discard(self, result: Result | None) -> None:
        if result is not None and self.results.pop(result.id, None) is not None:
            shutil.rmtree(result.folder, ignore_errors=True)

    # brackets

    def _regroup(self) -> None:
        """Brackets of all photos that are known and free; pictures whose photos stay the same are kept."""
        self.regrouping = False
        by_hand = {photo.id for one in self.pictures.values() if one.by_hand for photo in one.photos}
        free = sorted(
            (one for one in self.photos.values() if one.id not in by_hand and one.info and not one.problem),
            key=lambda one: natural_order(str(one.key)),
        )
        known = {str(one.key): one for one in free}
        groups = [
            [known[str(info.path)] for info in members]
            for members in brackets_of([one.info for one in free if one.info and not one.alone])
        ]
        grouped = {one.id for members in groups for one in members}
        groups += [[one] for one in free if one.id not in grouped]
        before = {tuple(photo.id for photo in one.photos): one for one in self.pictures.values()}
        kept = [one for one in self.pictures.values() if one.by_hand]
        for members in groups:
            old = before.get(tuple(one.id for one in members))
            kept.append(old or self._picture(members))
        for one in [one for one in self.pictures.values() if one not in kept]:
            self._forget(one)
        kept.sort(key=lambda one: (len(one.photos) == 1, natural_order(str(one.photos[0].key))))
        self.pictures = {one.id: one for one in kept}
        previous: list[Photo] = []  # why single photos belong to no bracket, each seen from the one before
        for picture in [one for one in kept if one.command == "expand"]:
            pair = [*previous, picture.photos[0]]
            obstacle = why_none([shot_of(one.info) for one in pair if one.info])
            seen = obstacle and (previous or obstacle[0] == "unknown exposure")
            picture.why = APART[obstacle[0]] if obstacle and seen else ""
            previous = picture.photos
        self.touch()

    def _picture(self, photos: list[Photo], by_hand: bool = False) -> Picture:
        identifier = f"b{next(self.numbers)}"
        command = "merge"
        if len(photos) == 1:
            info = photos[0].info
            light = info is not None and info.encoding == "linear"
            sensor = info is not None and info.format == "raw" and not io.is_result(info.metadata)
            command = "open" if light and not sensor else "expand"
        return Picture(identifier, photos, command, by_hand)

    def join(self, photos: list[Photo]) -> Picture:
        """A bracket as the user wants it, of photos that belong to others now."""
        sizes = {(one.info.width, one.info.height) for one in photos if one.info}
        if not 2 <= len(photos) <= forms.MOST_FRAMES:
            raise RequestError(f"a bracket has 2 to {forms.MOST_FRAMES} photos; got {len(photos)}")
        if len(sizes) > 1 or any(one.info is None for one in photos):
            raise RequestError("photos of a bracket have one size; these do not")
        for picture in list(self.pictures.values()):
            if set(picture.photos) & set(photos):
                self._forget(picture)
        made = self._picture(photos, by_hand=True)
        self.pictures[made.id] = made
        self._regroup()
        return made

    def split(self, picture: Picture) -> None:
        """The photos of a bracket by themselves."""
        self._forget(picture)
        for photo in picture.photos:
            photo.alone = True
        self._regroup()
