"""Photos, brackets and what was made of them: one state, that every open tab shows and a closed one does not lose.

All of it lives in the event loop's thread. Files are written and read by workers (`jobs`, `worker`).
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from openhdr import io
from openhdr.batch.card import brackets_of, images_in, is_result, shot_of
from openhdr.bracketing.grouping import why_none
from openhdr.core.errors import OpenHDRError, RequestError, printable
from openhdr.core.files import natural_order
from openhdr.core.threads import cores
from openhdr.merging.retouch import plain_strokes
from openhdr.serve import options as asked
from openhdr.serve.jobs import Job, Lane

MOST_PHOTOS, MOST_FILE_BYTES, FREE_BYTES = 10_000, 2 << 30, 2 << 30  # of a session; of one; left on the disk
MOST_NAME = 150  # characters
MOST_STROKES = 2000
SECONDS_TO_LOOK, SECONDS_TO_MAKE = 120.0, 3600.0

APART = {
    "unknown exposure": "no shutter time in its metadata",
    "same exposure": "same exposure as the photo before",
    "other size": "not the size of the photo before",
    "other camera": "another camera than the photo before",
    "long pause": "taken long after the photo before",
    "no bracket": "looks like a photo taken by itself",
}
"""Why a photo belongs to no bracket, in words."""


@dataclass(eq=False)
class Photo:
    """A photo. key: folder and name as the user knows them. own: uploaded, in a folder that this session removes.

    scratch: folder of its thumbnail and small copy. look: what the worker told of its pixels; None = not looked at yet.
    """

    id: str
    key: PurePosixPath
    path: Path
    scratch: Path
    own: bool
    info: io.ImageInfo | None = None
    problem: str = ""
    look: dict[str, Any] | None = None
    alone: bool = False

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": self.id, "name": self.key.name, "folder": str(self.key.parent), "problem": self.problem,
            "looked": self.look is not None, **(self.look or {}),
        }  # fmt: skip
        if self.info is not None:
            exposure = self.info.exposure
            told |= {
                "width": self.info.width, "height": self.info.height, "format": self.info.format,
                "time_s": exposure.time_s if exposure else None, "iso": exposure.iso if exposure else None,
                "f_number": exposure.f_number if exposure else None, "notes": list(self.info.notes),
                "camera": f"{self.info.metadata.get('make', '')} {self.info.metadata.get('model', '')}".strip(),
            }  # fmt: skip
        return told


@dataclass(eq=False)
class Result:
    """Something made, on disk. made_of: options and strokes that it was made with. layers: names that may be asked for."""

    id: str
    folder: Path
    draft: bool
    made_of: tuple[Any, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    layers: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Picture:
    """A bracket, or a photo by itself, and what is made of it.

    command: merge, expand, or open (HDR light already). by_hand: put together by the user. strokes: see
    `merging.retouch`. tone: operator and options of the tone-mapped picture.
    """

    id: str
    photos: list[Photo]
    command: str
    by_hand: bool = False
    why: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    strokes: list[dict[str, Any]] = field(default_factory=list)
    tone: tuple[str, dict[str, float]] = (asked.DEFAULT_OPERATOR, {})
    draft: Result | None = None
    result: Result | None = None
    error: str = ""
    then: list[Callable[[], None]] = field(default_factory=list)

    @property
    def shown(self) -> Result | None:
        return self.result or self.draft

    @property
    def made_of(self) -> tuple[Any, ...]:
        """What a result depends on."""
        return self.command, dict(self.options), [dict(one) for one in self.strokes]

    @property
    def name(self) -> str:
        return asked.stem_of(self.photos[0].key.name)

    def all_options(self) -> dict[str, Any]:
        return self.options | ({"retouch": self.strokes} if self.strokes else {})

    def told(self) -> dict[str, Any]:
        shown = self.shown
        return {
            "id": self.id, "name": self.name, "photos": [one.id for one in self.photos], "command": self.command,
            "by_hand": self.by_hand, "why": self.why, "options": self.options, "strokes": self.strokes,
            "tone": {"operator": self.tone[0], "options": self.tone[1]}, "error": self.error,
            "result": None if shown is None else {
                "id": shown.id, "draft": shown.draft, "stale": shown.draft or shown.made_of != self.made_of,
                **shown.facts,
            },
        }  # fmt: skip


class Session:
    """root: an empty folder for everything. threads: cores of each process."""

    def __init__(self, root: Path, threads: int | None = None) -> None:
        self.root = root
        self.numbers = itertools.count(1)
        self.photos: dict[str, Photo] = {}
        self.pictures: dict[str, Picture] = {}
        self.results: dict[str, Result] = {}
        self.exports: dict[str, tuple[Path, Job]] = {}
        self.version, self.changed = 0, asyncio.Event()
        self.arriving = 0
        self.quick = Lane("q", threads or cores(), self._notify)  # what somebody waits for
        self.slow = Lane("s", threads or cores(), self._notify)
        self.recent: list[Job] = []

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        return self.quick, self.slow

    def _notify(self) -> None:
        self.changed.set()

    def _touch(self) -> None:
        """What the listing tells has changed."""
        self.version += 1
        self.changed.set()

    def _folder(self, kind: str) -> tuple[str, Path]:
        identifier = f"{kind}{next(self.numbers)}"
        folder = self.root / identifier
        folder.mkdir()
        return identifier, folder

    # photos

    def add_folder(self, folder: Path) -> None:
        """The photos of a folder of this machine, where they are."""
        for path in images_in(folder):
            identifier, scratch = self._folder("p")
            place = path.relative_to(folder) if folder.is_dir() else path.name
            self._add(Photo(identifier, PurePosixPath(folder.name, place), path, scratch, own=False))

    async def add_upload(self, name: str, folder: str, content: AsyncIterator[bytes]) -> Photo:
        """A photo that a browser sends. Raises RequestError for names, numbers and sizes that are refused."""
        key = self._key(name, folder)
        if len(self.photos) >= MOST_PHOTOS:
            raise RequestError(f"there are {MOST_PHOTOS} photos already; remove some first")
        identifier, scratch = self._folder("p")
        path = scratch / key.name
        self.arriving += 1
        try:
            await self._receive(path, content)
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

    def _key(self, name: str, folder: str) -> PurePosixPath:
        """A name is a label and the last part of a path in a folder of ours: what could lead out of it is refused."""
        if name != printable(name) or not 0 < len(name) <= MOST_NAME or name in (".", "..") or set(name) & set("/\\:"):
            raise RequestError("the name of the file cannot be used")
        parts = [part for part in printable(folder)[:MOST_NAME].split("/") if part not in ("", ".", "..")]
        return PurePosixPath(*parts, name)

    async def _receive(self, path: Path, content: AsyncIterator[bytes]) -> None:
        size = 0
        with path.open("xb") as file:
            async for chunk in content:
                size += len(chunk)
                if size > MOST_FILE_BYTES:
                    raise RequestError(f"{path.name}: is larger than {MOST_FILE_BYTES >> 30} GB")
                if shutil.disk_usage(self.root).free - len(chunk) < FREE_BYTES:
                    raise RequestError(f"{path.name}: the disk of the temporary folder is nearly full")
                file.write(chunk)

    def _add(self, photo: Photo) -> None:
        self.photos[photo.id] = photo
        request = {"do": "describe", "path": str(photo.path), "into": str(photo.scratch)}
        self.quick.add(
            Job(request, photo.key.name, photo.id, seconds=SECONDS_TO_LOOK, finished=lambda job: self._looked(photo, job))
        )
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(io.probe, photo.path))
        task.add_done_callback(lambda done: self._probed(photo, done))
        self._touch()

    def _probed(self, photo: Photo, done: asyncio.Task[io.ImageInfo]) -> None:
        error = done.exception()
        if isinstance(error, OpenHDRError):
            photo.problem = self._said(photo, str(error))
        elif error is not None:
            raise error
        else:
            photo.info = replace(done.result(), path=Path(photo.key))
        self._regroup()

    def _looked(self, photo: Photo, job: Job) -> None:
        photo.look = job.answer if job.state == "done" else {}
        if job.error and not photo.problem:
            photo.problem = self._said(photo, job.error)
            self._regroup()
        self._touch()

    def _said(self, photo: Photo, error: str) -> str:
        """A message with the name that the user knows, not that of the temporary file."""
        return error.replace(printable(str(photo.path)), photo.key.name)

    def remove(self, picture: Picture) -> None:
        """Take a picture and its photos off the page; files in the user's folders stay."""
        self._forget(picture)
        for photo in picture.photos:
            self.photos.pop(photo.id, None)
            shutil.rmtree(photo.scratch, ignore_errors=True)
        self._regroup()

    def _forget(self, picture: Picture) -> None:
        for lane in self.lanes:
            for job in [one for one in lane.jobs if one.target == picture.id]:
                lane.cancel(job)
        for result in (picture.draft, picture.result):
            self._discard(result)
        self.pictures.pop(picture.id, None)
        self._touch()

    def _discard(self, result: Result | None) -> None:
        if result is not None and self.results.pop(result.id, None):
            shutil.rmtree(result.folder, ignore_errors=True)

    # brackets

    def _regroup(self) -> None:
        """Brackets of all photos that are known and free; pictures whose photos stay the same are kept."""
        if self.arriving or any(one.info is None and not one.problem for one in self.photos.values()):
            self._touch()
            return
        by_hand = {photo.id for one in self.pictures.values() if one.by_hand for photo in one.photos}
        free = sorted(
            (one for one in self.photos.values() if one.id not in by_hand and not one.problem),
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
        self._say_why([one.photos[0] for one in kept if len(one.photos) == 1])
        self._touch()

    def _picture(self, photos: list[Photo], by_hand: bool = False) -> Picture:
        identifier = f"b{next(self.numbers)}"
        command = "merge"
        if len(photos) == 1:
            info = photos[0].info
            light = info is not None and info.encoding == "linear" and info.format != "raw"
            command = "open" if light or (info is not None and is_result(info)) else "expand"
        return Picture(identifier, photos, command, by_hand)

    def _say_why(self, singles: list[Photo]) -> None:
        """Why single photos belong to no bracket, each seen from the one before."""
        before: Photo | None = None
        found: dict[str, str] = {}
        for photo in singles:
            pair = [one for one in (before, photo) if one is not None and one.info is not None]
            obstacle = why_none([shot_of(one.info) for one in pair if one.info])
            found[photo.id] = APART[obstacle[0]] if obstacle and (len(pair) > 1 or obstacle[0] == "unknown exposure") else ""
            before = photo
        for picture in self.pictures.values():
            picture.why = found.get(picture.photos[0].id, "") if picture.command == "expand" else ""

    def join(self, photos: list[Photo]) -> Picture:
        """A bracket as the user wants it, of photos that belong to others now."""
        sizes = {(one.info.width, one.info.height) for one in photos if one.info}
        if not 2 <= len(photos) <= asked.MOST_FRAMES:
            raise RequestError(f"a bracket has 2 to {asked.MOST_FRAMES} photos; got {len(photos)}")
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

    # results

    def start(self, picture: Picture, draft: bool = False) -> Job:
        """Make a picture: at once and small, or as it is to be."""
        for lane in self.lanes:  # what is under way with other options is not wanted any more
            for job in [one for one in lane.jobs if one.target == picture.id and one.request["do"] in MAKING]:
                if (job.request["do"] == "draft") == draft:
                    lane.cancel(job)
        identifier, folder = self._folder("r")
        result = Result(identifier, folder, draft, picture.made_of)
        request = {
            "do": "draft" if draft and picture.command != "open" else picture.command, "command": picture.command,
            "folders": [str(one.scratch) for one in picture.photos], "photos": [str(one.path) for one in picture.photos],
            "names": [one.key.name for one in picture.photos], "options": picture.all_options(), "into": str(folder),
        }  # fmt: skip
        lane = self.quick if draft else self.slow
        label = f"{picture.name}: {'first look' if draft else picture.command}"
        job = Job(
            request, label, picture.id, draft, SECONDS_TO_MAKE, lambda job: self._made(picture, result, job)
        )
        picture.error = ""
        self._touch()
        return lane.add(job)

    def _made(self, picture: Picture, result: Result, job: Job) -> None:
        self._remember(job)
        waiting, picture.then = (picture.then, []) if not result.draft else ([], picture.then)
        if job.state != "done" or picture.id not in self.pictures:
            shutil.rmtree(result.folder, ignore_errors=True)
            picture.error = job.error
            for photo in picture.photos:
                picture.error = self._said(photo, picture.error)
            self._touch()
            return
        result.facts = job.answer
        layers = {"light"} if job.answer["light"] else set()
        layers |= {"tone"} if job.answer["tone"] else set()
        result.layers = layers | {f"mask-{index}" for index in range(len(job.answer["masks"]))}
        self.results[result.id] = result
        if result.draft:
            self._discard(picture.draft)
            picture.draft = result
        else:
            for old in (picture.draft, picture.result):
                self._discard(old)
            picture.draft, picture.result = None, result
        for action in waiting:
            action()
        self._touch()

    def _remember(self, job: Job) -> None:
        """Keep what has ended for a while, so that the page can say so."""
        self.recent = [*self.recent[-19:], job]

    def change(self, picture: Picture, given: dict[str, Any]) -> None:
        """Other options or strokes. Raises RequestError."""
        if "options" in given:
            form = asked.merge_form() if picture.command == "merge" else asked.expand_form()
            picture.options = asked.checked(form, given["options"])
        if "strokes" in given:
            if not isinstance(given["strokes"], list) or len(given["strokes"]) > MOST_STROKES:
                raise RequestError(f"expected a list of at most {MOST_STROKES} strokes")
            picture.strokes = plain_strokes(given["strokes"])
        if "tone" in given:
            operator, values = str(given["tone"].get("operator")), given["tone"].get("options", {})
            picture.tone = operator, asked.checked(asked.tone_form(operator), values)
        self._touch()

    def tone(self, picture: Picture, proxy: bool) -> Job:
        """Tone-map what is shown; an older request that still waits is dropped."""
        result = self._ready(picture)
        for job in [one for one in self.quick.waiting if one.target == picture.id and one.request["do"] == "tone"]:
            self.quick.cancel(job)
        layer = f"tone-{next(self.numbers)}"
        operator, values = picture.tone
        request = {
            "do": "tone", "folder": str(result.folder), "layer": layer, "operator": operator, "options": values,
            "proxy": proxy,
        }  # fmt: skip

        def finished(job: Job) -> None:
            if job.state == "done":
                old = result.facts["tone"]
                result.layers.add(layer)
                result.facts["tone"] = job.answer | {"of": {"operator": operator, "options": values}, "proxy": proxy}
                if old is not None:
                    result.layers.discard(old["name"])
                    shutil.rmtree(result.folder / old["name"], ignore_errors=True)
            picture.error = job.error
            self._touch()

        return self.quick.add(Job(request, "tone mapping", picture.id, True, SECONDS_TO_MAKE, finished))

    def frame(self, picture: Picture, index: int) -> Job:
        """A source frame as a layer `frame-N` of what is shown."""
        result = self._ready(picture)
        if not 0 <= index < len(picture.photos):
            raise RequestError(f"there is no frame {index + 1}")
        photo, layer = picture.photos[index], f"frame-{index}"
        if layer in result.layers or any(
            one.target == picture.id and one.request.get("layer") == layer for one in self.quick.jobs
        ):
            return Job({}, "")
        request = {
            "do": "frame", "folder": str(result.folder), "index": index, "layer": layer, "draft": result.draft,
            "photo": str(photo.scratch if result.draft else photo.path),
        }  # fmt: skip

        def finished(job: Job) -> None:
            if job.state == "done":
                result.layers.add(layer)
                result.facts.setdefault("frame_layers", {})[str(index)] = job.answer["sizes"]
            self._touch()

        return self.quick.add(Job(request, photo.key.name, picture.id, True, SECONDS_TO_LOOK, finished))

    def _ready(self, picture: Picture) -> Result:
        if picture.shown is None:
            raise RequestError("nothing is made of these photos yet")
        return picture.shown

    # exports

    def export(self, picture: Picture, suffix: str, light: bool, delivery: Any) -> str:
        """Write a file for download; the picture is made first where it is not, or not as it is wanted now."""
        formats = asked.light_formats() if light else [*asked.PICTURE_FORMATS, ".json"]
        if suffix not in formats:
            raise RequestError(f"cannot write '{suffix}'; choose one of {', '.join(formats)}")
        given = asked.checked(asked.file_form(suffix) if light else (), delivery)
        identifier, folder = self._folder("e")
        output = folder / (picture.name + suffix)
        job = Job({}, f"{output.name}: export", picture.id, seconds=SECONDS_TO_MAKE, finished=self._remember)
        self.exports[identifier] = (output, job)

        def begin() -> None:
            result = self._ready(picture)
            operator = asked.operator_text(*picture.tone)
            job.request = {
                "do": "sidecar" if suffix == ".json" else "export", "folder": str(result.folder), "output": str(output),
                "light": light, "delivery": given, "operator": operator, "command": picture.command,
                "photos": [str(one.path) for one in picture.photos], "options": picture.all_options(),
                "facts": {name: result.facts[name] for name in ("width", "height", "frames", "notes")},
            }  # fmt: skip
            self.slow.add(job)

        if picture.result is None or picture.result.made_of != picture.made_of:
            picture.then.append(begin)
            if not any(one.target == picture.id and one.request["do"] in MAKING for one in self.slow.jobs):
                self.start(picture)
        else:
            begin()
        return identifier

    def command(self, picture: Picture, suffix: str, light: bool, delivery: Any) -> str:
        """The command line that writes the same file."""
        given = asked.checked(asked.file_form(suffix) if light else (), delivery)
        names = [one.key.name for one in picture.photos]
        output = picture.name + suffix
        more = ["--like", f"{picture.name}.json"] if picture.strokes else []
        operator = asked.operator_text(*picture.tone)
        custom = operator != asked.DEFAULT_OPERATOR
        if light and picture.command == "open":
            return asked.command_line("convert", names, output, given)
        if light:
            tones = ["--operator", operator] if custom and (suffix == ".jpg" or given.get("gain_map")) else []
            return asked.command_line(picture.command, names, output, picture.options | given, [*more, *tones])
        chosen = ["--operator", operator] if custom else []
        if picture.command == "open":
            return asked.command_line("tonemap", names, output, {}, chosen)
        between = f"{picture.name}.exr"
        first = asked.command_line(picture.command, names, between, picture.options, more)
        return first + " && " + asked.command_line("tonemap", [between], output, {}, chosen)

    # what is told

    def listing(self) -> dict[str, Any]:
        """Photos and pictures, for the page."""
        return {
            "version": self.version,
            "arriving": self.arriving,
            "photos": {one.id: one.told() for one in self.photos.values()},
            "pictures": [one.told() for one in self.pictures.values()],
        }

    def work(self) -> dict[str, Any]:
        """What is being done, for the page."""
        jobs = [job.told() for lane in self.lanes for job in lane.jobs if job.request.get("do") != "describe"]
        looking = sum(job.request.get("do") == "describe" for job in self.quick.jobs)
        return {"version": self.version, "jobs": jobs, "looking": looking}

    def job(self, identifier: str) -> tuple[Lane, Job] | None:
        for lane in self.lanes:
            for job in lane.jobs:
                if job.id == identifier:
                    return lane, job
        return None


MAKING = ("draft", "merge", "expand", "open")


