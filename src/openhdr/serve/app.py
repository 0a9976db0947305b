"""The routes of the page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from openhdr import io
from openhdr.core.errors import OpenHDRError, RequestError
from openhdr.core.version import __version__
from openhdr.serve import forms, layers
from openhdr.serve.guard import Guard
from openhdr.serve.session import Picture, Session
from openhdr.tonemapping import DEFAULT as DEFAULT_OPERATOR
from openhdr.tonemapping import OPERATORS

MOST_JSON = 32 << 20  # bytes of a request that is no photo
PAUSE_S, ALIVE_S = 0.08, 15.0  # between two messages of an event stream, at least and at most

Handler = Callable[[Request], Awaitable[Response]]


def make_app(root: Path, token: str, hosts: frozenset[str], folder: Path | None = None) -> Starlette:
    """The application. root: an empty folder. hosts, token: see `Guard`. folder: its photos are there at the start."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        session = app.state.session = Session(root)
        work = [
            asyncio.create_task(one) for one in (session.warm(), *(lane.work() for lane in session.lanes))
        ]
        if folder is not None:
            session.add_folder(folder)
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    return Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        middleware=[Middleware(Guard, hosts=hosts, token=token)],
        exception_handlers={OpenHDRError: _refused, ClientDisconnect: _gone},
    )


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


def _session(request: Request) -> Session:
    session: Session = request.app.state.session
    return session


def _picture(request: Request) -> Picture:
    found = _session(request).pictures.get(request.path_params["picture"])
    if found is None:
        raise RequestError("these photos are not on the page any more")
    return found


async def _json(request: Request) -> dict[str, Any]:
    """The object that a request holds. Raises RequestError."""
    data, read = bytearray(), 0
    async for chunk in request.stream():
        read += len(chunk)
        if read <= MOST_JSON:
            data += chunk
        elif read > 2 * MOST_JSON:  # up to there it is read, because who still sends does not hear the answer
            break
    if read > MOST_JSON:
        raise RequestError("the request is too long")
    try:
        content = json.loads(data or b"{}")
    except (ValueError, RecursionError) as error:
        raise RequestError("the request is no JSON") from error
    if not isinstance(content, dict):
        raise RequestError("the request is no JSON object")
    return content


# the page

ASSETS = Path(str(resources.files("openhdr.serve") / "assets"))


async def asset(request: Request) -> Response:
    """A file of the page, by its name in a list: no path is made of what is asked for."""
    name = request.path_params.get("name", "index.html")
    files = {one.name: one for one in ASSETS.iterdir() if one.is_file()}
    if name not in files:
        return Response(status_code=404)
    kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "text/plain"
    return Response(files[name].read_bytes(), media_type=kind)


async def about(request: Request) -> Response:
    """What can be asked for."""
    formats = forms.light_formats()
    return JSONResponse(
        {
            "version": __version__,
            "merge": [asdict(one) for one in forms.merge_form()],
            "expand": [asdict(one) for one in forms.expand_form()],
            "operators": [
                {
                    "name": row.name,
                    "summary": row.summary,
                    "default": row.name == DEFAULT_OPERATOR,
                    "options": [
                        asdict(one) | {"default": getattr(row.options(), one.name)}
                        for one in forms.tone_form(row.name)
                    ],
                }
                for row in OPERATORS.values()
            ],
            "files": [
                {"suffix": one, "options": [asdict(o) for o in forms.file_form(one)]} for one in formats
            ],
            "pictures": list(forms.PICTURE_FORMATS),
            "extensions": sorted(io.ENDINGS),
        }
    )


async def events(request: Request) -> Response:
    """What is being done, whenever it changes; the page asks for the listing where its version is new."""
    session = _session(request)

    async def told() -> AsyncIterator[str]:
        last = ""
        while True:
            session.changed.clear()
            now = json.dumps(session.work())
            yield f"data: {now}\n\n" if now != last else ": still here\n\n"
            last = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(session.changed.wait(), ALIVE_S)
            await asyncio.sleep(PAUSE_S)

    return StreamingResponse(told(), media_type="text/event-stream")


async def listing(request: Request) -> Response:
    return JSONResponse(_session(request).listing())


# photos


async def upload(request: Request) -> Response:
    query = request.query_params
    photo = await _session(request).add_upload(
        query.get("name", ""), query.get("folder", ""), request.stream()
    )
    return JSONResponse({"id": photo.id})


async def thumbnail(request: Request) -> Response:
    photo = _session(request).photos.get(request.path_params["photo"])
    if photo is None or not (photo.scratch / "thumbnail.jpg").exists():
        return Response(status_code=404)
    return FileResponse(photo.scratch / "thumbnail.jpg", media_type="image/jpeg")


async def join(request: Request) -> Response:
    session = _session(request)
    given = (await _json(request)).get("photos")
    if not isinstance(given, list) or not all(
        isinstance(one, str) and one in session.photos for one in given
    ):
        raise RequestError("expected a list of photos that are on the page")
    return JSONResponse({"id": session.join([session.photos[one] for one in dict.fromkeys(given)]).id})


async def split(request: Request) -> Response:
    _session(request).split(_picture(request))
    return JSONResponse({})


async def remove(request: Request) -> Response:
    _session(request).remove(_picture(request).photos)
    return JSONResponse({})


async def remove_photos(request: Request) -> Response:
    """One, or all."""
    session = _session(request)
    wanted = request.query_params.get("id")
    session.remove([one for one in session.photos.values() if wanted in (None, one.id)])
    return JSONResponse({})


# pictures


async def change(request: Request) -> Response:
    _session(request).change(_picture(request), await _json(request))
    return JSONResponse({})


async def make(request: Request) -> Response:
    draft = request.query_params.get("draft") == "1"
    return JSONResponse(_session(request).start(_picture(request), draft).told())


async def tone(request: Request) -> Response:
    proxy = request.query_params.get("proxy") == "1"
    return JSONResponse(_session(request).tone(_picture(request), proxy).told())


async def frame(request: Request) -> Response:
    matched = request.query_params.get("matched") == "1"
    return JSONResponse(
        _session(request).frame(_picture(request), request.path_params["index"], matched).told()
    )


async def photo(request: Request) -> Response:
    return JSONResponse(_session(request).photo(_picture(request)).told())


async def photo_file(request: Request) -> Response:
    result = _session(request).results.get(request.path_params["result"])
    if result is None or "photo" not in result.facts:
        return Response(status_code=404)
    return FileResponse(result.folder / f"{result.facts['photo']}.jpg", media_type="image/jpeg")


async def cancel(request: Request) -> Response:
    found = _session(request).job(request.path_params["job"])
    if found is not None:
        found[0].cancel(found[1])
    return JSONResponse({})


async def export(request: Request) -> Response:
    given = await _json(request)
    made = _session(request).export(
        _picture(request), str(given.get("suffix")), given.get("light") is True, given.get("options", {})
    )
    return JSONResponse({"id": made})


async def command(request: Request) -> Response:
    given = await _json(request)
    text = _picture(request).command_line(
        str(given.get("suffix")), given.get("light") is True, given.get("options", {})
    )
    return JSONResponse({"command": text})


async def exported(request: Request) -> Response:
    """The file; 202 while it is being made."""
    found = _session(request).exports.get(request.path_params["export"])
    if found is None:
        return Response(status_code=404)
    path, job = found
    if job.state in ("failed", "cancelled"):
        return JSONResponse({"error": job.error or "cancelled"}, 422)
    if job.state != "done":
        return JSONResponse(job.told(), 202)
    return FileResponse(path, filename=path.name, media_type="application/octet-stream")


# pixels


async def tile(request: Request) -> Response:
    place = request.path_params
    result = _session(request).results.get(place["result"])
    if result is None or place["layer"] not in result.layers:
        return Response(status_code=404)
    data = await asyncio.to_thread(
        layers.tile, result.folder / place["layer"], place["level"], place["column"], place["row"]
    )
    return (
        Response(status_code=404) if data is None else Response(data, media_type="application/octet-stream")
    )


async def probe(request: Request) -> Response:
    """The values at a place, of each layer that is at full size."""
    result = _session(request).results.get(request.path_params["result"])
    try:
        x, y = (float(request.query_params.get(name, "nan")) for name in ("x", "y"))
    except ValueError:
        x = y = float("nan")
    if result is None or not (0 <= x <= 1 and 0 <= y <= 1):
        return Response(status_code=404)
    wanted = [one for one in result.layers if not one.startswith("tone-")]
    return JSONResponse({name: layers.probe(result.folder / name, x, y) for name in sorted(wanted)})


ROUTES = [
    Route("/", asset),
    Route("/assets/{name}", asset),
    Route("/api/about", about),
    Route("/api/events", events),
    Route("/api/listing", listing),
    Route("/api/photos", upload, methods=["PUT"]),
    Route("/api/photos", remove_photos, methods=["DELETE"]),
    Route("/api/photos/{photo}/thumbnail", thumbnail),
    Route("/api/pictures", join, methods=["POST"]),
    Route("/api/pictures/{picture}", change, methods=["PATCH"]),
    Route("/api/pictures/{picture}", remove, methods=["DELETE"]),
    Route("/api/pictures/{picture}/split", split, methods=["POST"]),
    Route("/api/pictures/{picture}/make", make, methods=["POST"]),
    Route("/api/pictures/{picture}/tone", tone, methods=["POST"]),
    Route("/api/pictures/{picture}/frames/{index:int}", frame, methods=["POST"]),
    Route("/api/pictures/{picture}/photo", photo, methods=["POST"]),
    Route("/api/pictures/{picture}/export", export, methods=["POST"]),
    Route("/api/pictures/{picture}/command", command, methods=["POST"]),
    Route("/api/jobs/{job}", cancel, methods=["DELETE"]),
    Route("/api/exports/{export}", exported),
    Route("/api/results/{result}/photo", photo_file),
    Route("/api/results/{result}/probe", probe),
    Route("/api/results/{result}/{layer}/{level:int}/{column:int}/{row:int}", tile),
]
