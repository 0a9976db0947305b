"""What is made of the photos: one state, that every open tab shows and a closed one does not lose."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from openhdr.batch.run import free_gb, need_gb
from openhdr.core.errors import RequestError
from openhdr.core.threads import cores
from openhdr.merging.retouch import plain_strokes
from openhdr.serve import forms
from openhdr.serve.jobs import Job, Lane
from openhdr.serve.library import SECONDS_TO_LOOK, Library
from openhdr.serve.pictures import Picture, Result

MOST_STROKES = 2000
SECONDS_TO_MAKE = 3600.0


class Session(Library):
    """A library and its results."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.exports: dict[str, tuple[Path, Job]] = {}

    # results

    def start(self, picture: Picture, draft: bool = False) -> Job:
        """Make a picture: at once and small, or as it is to be. Raises RequestError where memory will not do."""
        if not draft:
            check_memory(picture)
        for lane in self.lanes:  # what is under way with other options is not wanted any more
            for job in [one for one in lane.jobs if one.target == picture.id and one.request["do"] in MAKING]:
                if (job.request["do"] == "draft") == draft:
                    lane.cancel(job)
        identifier, folder = self.new_folder("r")
        result = Result(identifier, folder, draft, picture.made_of)
        request = {
            "do": "draft" if draft and picture.command != "open" else picture.command, "command": picture.command,
            "folders": [str(one.scratch) for one in picture.photos],
            "photos": [str(one.path) for one in picture.photos],
            "names": [one.key.name for one in picture.photos], "options": picture.all_options(), "into": str(folder),
            "tone": {"operator": picture.tone[0], "options": picture.tone[1]},
        }  # fmt: skip
        lane = self.quick if draft else self.slow
        label = f"{picture.name}: {'first look' if draft else picture.command}"
        job = Job(
            request, label, picture.id, draft, SECONDS_TO_MAKE, lambda job: self._made(picture, result, job)
        )
        picture.error = ""
        self.touch()
        return lane.add(job)

    def _made(self, picture: Picture, result: Result, job: Job) -> None:
        waiting, picture.then = (picture.then, []) if not result.draft else ([], picture.then)
        if job.state != "done" or picture.id not in self.pictures:
            shutil.rmtree(result.folder, ignore_errors=True)
            picture.error = job.error
            for photo in picture.photos:
                picture.error = self.said(photo, picture.error)
            for action in waiting:
                action(False)
            self.touch()
            return
        result.facts = job.answer
        layers = {"light"} if job.answer["light"] else set()
        layers |= {"tone"} if job.answer["tone"] else set()
        result.layers = layers | {f"mask-{index}" for index in range(len(job.answer["masks"]))}
        self.results[result.id] = result
        if result.draft:
            self.discard(picture.draft)
            picture.draft = result
        else:
            for old in (picture.draft, picture.result):
                self.discard(old)
            picture.draft, picture.result = None, result
        for action in waiting:
            action(True)
        self.touch()

    def change(self, picture: Picture, given: dict[str, Any]) -> None:
        """Other options or strokes. Raises RequestError."""
        if "options" in given:
            form = forms.merge_form() if picture.command == "merge" else forms.expand_form()
            picture.options = forms.checked(form, given["options"])
        if "strokes" in given:
            if not isinstance(given["strokes"], list) or len(given["strokes"]) > MOST_STROKES:
                raise RequestError(f"expected a list of at most {MOST_STROKES} strokes")
            picture.strokes = plain_strokes(given["strokes"])
        if "tone" in given:
            operator, values = str(given["tone"].get("operator")), given["tone"].get("options", {})
            picture.tone = operator, forms.checked(forms.tone_form(operator), values)
        self.touch()

    def tone(self, picture: Picture, proxy: bool) -> Job:
        """Tone-map what is shown; an older request that still waits is dropped."""
        result = self._ready(picture)
        for job in [
            one for one in self.quick.waiting if one.target == picture.id and one.request["do"] == "tone"
        ]:
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
                result.facts["tone"] = job.answer
                if old is not None:
                    result.layers.discard(old["name"])
                    shutil.rmtree(result.folder / old["name"], ignore_errors=True)
            picture.error = job.error
            self.touch()

        return self.quick.add(Job(request, "tone mapping", picture.id, True, SECONDS_TO_MAKE, finished))

    def photo(self, picture: Picture) -> Job:
        """Write what is shown as a JPEG with a gain map, for browsers that show such photos as HDR."""
        result = self._ready(picture)
        name = f"photo-{next(self.numbers)}"
        request = {
            "do": "photo", "folder": str(result.folder), "output": str(result.folder / f"{name}.jpg"),
            "operator": forms.operator_text(*picture.tone),
        }  # fmt: skip

        def finished(job: Job) -> None:
            if job.state == "done":
                result.facts["photo"] = name
            picture.error = job.error
            self.touch()

        return self.quick.add(Job(request, "HDR photo", picture.id, True, SECONDS_TO_MAKE, finished))

    def frame(self, picture: Picture, index: int, matched: bool) -> Job:
        """A source frame as a layer of what is shown: `frame-N` as shot, `matched-N` to compare with the result."""
        result = self._ready(picture)
        if not 0 <= index < len(picture.photos):
            raise RequestError(f"there is no frame {index + 1}")
        photo, layer = picture.photos[index], f"{'matched' if matched else 'frame'}-{index}"
        if layer in result.layers or any(
            one.target == picture.id and one.request.get("layer") == layer for one in self.quick.jobs
        ):
            return Job({}, "")
        request = {
            "do": "frame", "folder": str(result.folder), "index": index, "layer": layer, "draft": result.draft,
            "matched": matched,
            "photo": str(photo.scratch if result.draft else photo.path),
        }  # fmt: skip

        def finished(job: Job) -> None:
            if job.state == "done":
                result.layers.add(layer)
                result.facts.setdefault("frame_layers", {})[layer] = job.answer["sizes"]
            self.touch()

        return self.quick.add(Job(request, photo.key.name, picture.id, True, SECONDS_TO_LOOK, finished))

    def _ready(self, picture: Picture) -> Result:
        if picture.shown is None:
            raise RequestError("nothing is made of these photos yet")
        return picture.shown

    # exports

    def export(self, picture: Picture, suffix: str, light: bool, delivery: Any) -> str:
        """Write a file for download; the picture is made first where it is not, or not as it is wanted now."""
        formats = forms.light_formats() if light else [*forms.PICTURE_FORMATS, ".json"]
        if suffix not in formats:
            raise RequestError(f"cannot write '{suffix}'; choose one of {', '.join(formats)}")
        given = forms.stored(suffix, delivery) if light else {}
        identifier, folder = self.new_folder("e")
        output = folder / (picture.name + suffix)
        job = Job({}, f"{output.name}: export", picture.id, seconds=SECONDS_TO_MAKE)
        self.exports[identifier] = (output, job)

        def begin(made: bool) -> None:
            if not made:
                job.state, job.answer = "failed", {"error": picture.error or "cancelled"}
                return
            result = self._ready(picture)
            operator = forms.operator_text(*picture.tone)
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
            begin(True)
        return identifier

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
        jobs = [job.told() for lane in self.lanes for job in lane.jobs if job.request.get("do") not in QUIET]
        looking = sum(job.request.get("do") == "describe" for lane in self.lanes for job in lane.jobs)
        return {"version": self.version, "jobs": jobs, "looking": looking}

    def job(self, identifier: str) -> tuple[Lane, Job] | None:
        for lane in self.lanes:
            for job in lane.jobs:
                if job.id == identifier:
                    return lane, job
        return None


def check_memory(picture: Picture) -> None:
    """Merges run one after another, so each may take what is free. Raises RequestError for one that would be killed."""
    info = picture.photos[0].info
    if picture.command != "merge" or info is None:
        return
    megapixels, count = info.width * info.height / 1e6, len(picture.photos)
    need, free = need_gb(megapixels, count, cores()), free_gb()
    if need > free:
        raise RequestError(
            f"merging {count} photos of {megapixels:.0f} megapixels takes {need:.1f} GB of memory and {free:.1f} GB "
            "are free; end other programs, or merge fewer or smaller photos"
        )


QUIET = ("describe", "warm")
MAKING = ("draft", "merge", "expand", "open")
