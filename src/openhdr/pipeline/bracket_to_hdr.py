"""A bracket -> HDR, in eight steps: read, expose, register, decode, compare, decide, merge, refine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from openhdr import io
from openhdr.alignment import ALIGNERS
from openhdr.alignment import DEFAULT as DEFAULT_ALIGNER
from openhdr.bracketing.bracket import make_bracket
from openhdr.bracketing.exposure_estimation import likely_response
from openhdr.camera import remembered
from openhdr.camera.border import pure_colour_border
from openhdr.camera.calibration import CalibrationOptions, calibrate_frames
from openhdr.camera.clipping import clip_code
from openhdr.camera.exposure import all_equal, with_white_luminance
from openhdr.camera.lateral_ca import corrected_images
from openhdr.camera.mosaic import Mosaic
from openhdr.camera.response import ASSUMED_RESPONSE, MEAN_OF_CAMERAS, Response, parse
from openhdr.core import progress
from openhdr.core.errors import ExposureError, RequestError, unknown_name
from openhdr.core.image import REC709, Bracket, Image, ImageOrPath
from openhdr.core.threads import in_threads
from openhdr.geometry import Registration, common_area, warp
from openhdr.io.pixels import in_primaries
from openhdr.merging import DEFAULT as DEFAULT_MERGER
from openhdr.merging import MERGERS
from openhdr.merging.ghosts import CompareOptions, compare
from openhdr.merging.matching import Match
from openhdr.merging.measured import MeasuredResponse, measure_response, with_measured
from openhdr.merging.merger import Merger
from openhdr.merging.mosaics import on_sites
from openhdr.merging.registered import RegisteredBracket
from openhdr.merging.retouch import Stroke, retouched
from openhdr.models import MODELS, chosen_weights
from openhdr.models.inference.run_options import Precision, RunOptions
from openhdr.pipeline.network_merger import NetworkMerger
from openhdr.pipeline.pipeline_options import MergeOptions
from openhdr.pipeline.sensor_merger import Align, SensorMerger, of_proxies, proxies, sensor_values

CALIBRATE = "calibrate"


@dataclass(frozen=True)
class MergeResult:
    """What a merge made and how. Lists have one entry a frame, in the bracket's order.

    image: the HDR image (linear, 1.0 = the reference clips), or a picture for display (`mertens`); in the primaries
        of the photos.
    bracket: the frames with the exposures as stated. exposures_from: who stated them.
    registrations: where the frames lie. matches: the tone correction that was applied.
    response: of the reference. measured: what the bracket said of it.
    consistency: (h, w) float32 0..1, what deghosting left in, in the reference's geometry.
        What `crop` cuts are image and mosaic; all else is of the reference's whole picture.
    used: indices of the frames that were merged.
    mosaic: the merged sensor values, where camera RAW was merged before demosaicing; the frames are then its proxies.
    """

    image: Image
    bracket: Bracket
    exposures_from: str
    registrations: list[Registration]
    response: Response
    measured: MeasuredResponse
    consistency: list[np.ndarray]
    matches: list[Match]
    used: tuple[int, ...]
    mosaic: Mosaic | None = None

    def share_used(self, index: int) -> float:
        """How much of a frame went into the result, 0..1."""
        out = index not in self.used or self.registrations[index].status == "rejected"
        return 0.0 if out else float(self.consistency[index].mean())


def merge(
    frames: Sequence[ImageOrPath] | str | Path,
    ev: Sequence[float] | str | None = None,
    method: str | None = None,
    align: str | None = None,
    reference: int | str | None = None,
    *,
    times: Sequence[float] | None = None,
    response: Response | str | None = None,
    calibration: str = "bracket",
    deghost: bool | None = None,
    match: bool | None = None,
    retouch: Sequence[Stroke | Mapping[str, Any]] | None = None,
    correct_ca: bool = False,
    crop: bool = False,
    raw_domain: str = "auto",
    neutral: Sequence[float] | None = None,
    dark: str | Path | None = None,
    flat: str | Path | None = None,
    weights: str | None = None,
    device: str = "cpu",
    precision: Precision = "auto",
    memory: float = 2.4,
    augment: bool = False,
) -> Image:
    """Merge a bracket into one HDR image: (H, W, 3) float32, linear Rec.709, 1.0 = the reference clips.

    frames: paths or Images, two or more, one size; or a folder of photos. ev: stops per frame (only differences
    matter), "auto" to measure them in the pixels, or None to take them from the metadata. times: shutter times in
    seconds instead. reference: a number, counted from 1, or a file name; by default the middle exposure that is well
    exposed. response, calibration, deghost, match, correct_ca, crop, raw_domain, neutral,
    dark, flat: see `MergeOptions`. retouch: areas that a frame is taken
    for, see `openhdr.merging.retouch.Stroke`. weights, device, precision, memory (GB), augment: of a network, see
    `RunOptions`. Raises OpenHDRError with what to do. `merge_bracket` also tells how.

    >>> import numpy as np, openhdr
    >>> photos = [openhdr.Image(np.full((8, 8, 3), code, np.uint8), "srgb") for code in (60, 118, 188)]
    >>> openhdr.merge(photos, ev=[-2, 0, 2], method="mle").pixels.shape
    (8, 8, 3)
    """
    run = RunOptions(device, precision, memory, augment)
    options = MergeOptions(
        ev=ev,
        times=times,
        method=method,
        weights=weights,
        run=run,
        align=align,
        reference=reference,
        response=response,
        calibration=calibration,
        deghost=deghost,
        match=match,
        retouch=retouch,
        correct_ca=correct_ca,
        crop=crop,
        raw_domain=raw_domain,
        neutral=neutral,
        dark=None if dark is None else Path(dark),
        flat=None if flat is None else Path(flat),
    )
    return in_primaries(merge_bracket(frames, options).image, REC709)


def merge_bracket(
    frames: Sequence[ImageOrPath] | str | Path, options: MergeOptions = MergeOptions()
) -> MergeResult:
    """Merge a bracket and say how."""
    merger = merger_of(options)
    align = ALIGNERS[options.align or DEFAULT_ALIGNER].load()

    frames = listed(frames)
    names = names_of(frames)
    if mosaics := sensor_values(frames, options):
        images, merger = proxies(mosaics), SensorMerger(mosaics)
        align = of_proxies(align, mosaics[0].cell)
    else:
        images = corrected_images(read_frames(frames)) if options.correct_ca else read_frames(frames)
    refuse_results(images, names)
    known = _known(frames, images, options)
    if options.ev == "auto" and known:  # exposures that are measured in the pixels are as right as the curve
        first = known
    else:
        first = parse(ASSUMED_RESPONSE if options.response in (None, CALIBRATE) else options.response)
    bracket, source = expose(images, names, options, first, merger)
    used = merger.frames_of(bracket)
    registered = register(bracket, align, first, options)
    registered, measured = decode(registered, options, known)
    comparison = compare(registered, _comparing(options, merger, registered, measured))
    registered, matches = retouched(merger.decide(comparison), options.retouch or ()), comparison.matches
    del comparison  # its evidence is large
    merged = merger.merge(registered)
    merged = merger.refine(registered, merged)

    notes = merger.notes_on(bracket)
    if all_equal(bracket.ev):
        notes += ("The frames have one exposure: merging takes out noise and gains no highlights.",)
    image = images[bracket.reference].with_pixels(merged.pixels, merger.encoding)
    image = with_white_luminance(image) if merger.encoding == "linear" else image
    image = io.as_result(image).with_notes(*notes)
    registrations = (
        on_sites(registered.registrations, mosaics[0].cell) if mosaics else registered.registrations
    )
    mosaic = merged.mosaic
    if options.crop:
        multiple = len(mosaic.pattern) if mosaic else 1
        area = common_area([registrations[one] for one in used], image.pixels.shape[:2], multiple)
        image, mosaic = image.with_pixels(image.pixels[area]), mosaic and mosaic.cut(*area)
    consistency = [np.ones((1, 1), np.float32) if one is None else one for one in registered.consistency]
    response = registered.responses[bracket.reference]
    return MergeResult(
        image,
        bracket,
        source,
        registrations,
        response,
        measured,
        consistency,
        matches,
        used,
        mosaic,
    )


def merger_of(options: MergeOptions) -> Merger:
    """The method that the options ask for; what it cannot do is refused before the work."""
    name = options.method or DEFAULT_MERGER
    if name not in METHODS:
        raise unknown_name("merge method", name, METHODS)
    merger = METHODS[name](name, options)
    if options.retouch and not merger.masks_ghosts:
        raise RequestError(f"`retouch`: the method '{name}' decides itself what it takes from each frame")
    return merger


def _by_merger(name: str, options: MergeOptions) -> Merger:
    """A row of MERGERS."""
    if options.weights:
        why = "has its weights in the package" if name in MODELS else "is no network"
        raise RequestError(f"`weights={options.weights}`: the method '{name}' {why}; leave it out")
    options.run.refuse(name)
    merger: Merger = MERGERS[name].load()
    return merger


def _by_network(name: str, options: MergeOptions) -> Merger:
    """A three-frame network with its weights."""
    return NetworkMerger(name, chosen_weights(name, options.weights), options.run)


METHODS: Mapping[str, Callable[[str, MergeOptions], Merger]] = MappingProxyType(
    dict.fromkeys(MERGERS, _by_merger)
    | {row.name: _by_network for row in MODELS.values() if row.task == "merge"}
)
"""Every method by its name: what makes a merger of it, or says why the options do not fit."""


def listed(frames: Sequence[ImageOrPath] | str | Path) -> Sequence[ImageOrPath]:
    """The frames; of a folder, or a list of one folder, its photos: no results, and of RAW + JPEG the RAW."""
    if isinstance(frames, (str, Path)):
        frames = [frames]
    if len(frames) == 1 and not isinstance(frames[0], Image) and Path(frames[0]).is_dir():
        found = io.images_in(Path(frames[0]), io.ENDINGS - {".hdr", ".exr"})
        photos = [path for path in found if not io.is_result(io.probe(path).metadata)] or found
        raw = {path.stem for path in photos if io.may_hold_sensor_values(path)}
        frames = [path for path in photos if path.stem not in raw or io.may_hold_sensor_values(path)]
    if len(frames) < 2:
        for path in [frame for frame in frames if not isinstance(frame, Image)]:
            io.probe(path)  # a name that does not exist is the greater mistake
        raise RequestError(
            f"a bracket needs at least two frames; got {len(frames)}: give the other exposures too, or expand the one "
            "photo (openhdr expand)"
        )
    paths = [Path(frame).resolve() for frame in frames if not isinstance(frame, Image)]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice:
        raise RequestError(f"{twice.name} is given twice; give every photo once")
    return frames


def names_of(frames: Sequence[ImageOrPath]) -> list[str]:
    """What messages call the frames."""
    return [
        f"frame {n}" if isinstance(frame, Image) else Path(frame).name
        for n, frame in enumerate(frames, start=1)
    ]


def read_frames(frames: Sequence[ImageOrPath]) -> list[Image]:
    """The images; paths are read on all cores."""

    def read(frame: ImageOrPath) -> Image:
        image = frame if isinstance(frame, Image) else io.read(frame, base=True, primaries=None)
        advance()
        return image

    with progress.task("reading", len(frames)) as advance:
        images = in_threads(read, frames)
    return images


def refuse_results(images: Sequence[Image], names: Sequence[str]) -> None:
    """Raise RequestError where openhdr made some of the images, not all as in converting them."""
    made = [io.is_result(image.metadata) for image in images]
    if any(made) and not all(made):
        name = names[made.index(True)]
        raise RequestError(f"{name} is a result of openhdr, no photo of the bracket; leave it out")


def expose(
    images: list[Image], names: list[str], options: MergeOptions, response: Response, merger: Merger
) -> tuple[Bracket, str]:
    """The bracket, and where its exposures come from.

    Exposure fusion makes do with exposures measured in the pixels where none are known.
    """
    if options.response == CALIBRATE and options.ev == "auto":
        raise ExposureError("`response='calibrate'` needs known exposures; give them as `ev` or `times`")
    try:
        bracket, source = make_bracket(images, names, response, options.ev, options.times, options.reference)
        if options.response == CALIBRATE and all_equal(bracket.ev):
            raise ExposureError(
                "the camera's curve cannot be found from frames of one exposure; give different ones, or leave out "
                "`response='calibrate'`"
            )
        return bracket, source
    except ExposureError:
        stated = options.ev is not None or options.times is not None
        if stated or merger.encoding == "linear":
            raise
        return make_bracket(images, names, response, "auto", None, options.reference)


def register(bracket: Bracket, align: Align, response: Response, options: MergeOptions) -> RegisteredBracket:
    """The frames with their places in the reference's geometry, decoded by the first response.

    With a published calibration they are registered once more, with the frames on one scale.
    """
    images = [frame.image for frame in bracket.frames]
    if options.response == CALIBRATE and any(image.encoding == "linear" for image in images):
        raise RequestError("`response='calibrate'`: the frames are linear already; leave `response` out")
    registrations = align(bracket, response)
    invalid = [pure_colour_border(image.pixels) for image in images]
    if options.response == CALIBRATE and options.calibration != "bracket":
        response = _calibrated(bracket, registrations, invalid, options.calibration)
        registrations = align(bracket, response)
    return RegisteredBracket(bracket, [response] * len(images), registrations, invalid, noise=response.noise)


def _calibrated(
    bracket: Bracket, registrations: list[Registration], invalid: list[np.ndarray | None], method: str
) -> Response:
    """The response recovered from the bracket's own frames, moved onto the reference first."""
    images = [frame.image for frame in bracket.frames]
    codes, valid = [], []
    for image, registration, border in zip(images, registrations, invalid, strict=True):
        code, inside = warp(image.pixels, registration)
        if border is not None:
            inside &= warp(border.astype(np.uint8), registration)[0] == 0
        codes.append(code)
        valid.append(inside)
    clip = clip_code(images) / images[0].full_scale
    return calibrate_frames(codes, bracket.ev, valid, clip, CalibrationOptions(method=method))


def _known(
    frames: Sequence[ImageOrPath] | str | Path, images: list[Image], options: MergeOptions
) -> Response | None:
    """A better first curve than sRGB's: the camera's, kept beside the photos or in the user's folder.

    Where exposures are to be measured, it is that of most cameras, unless the frames follow sRGB's.
    """
    if options.response is not None:
        return None
    given = [frames] if isinstance(frames, (str, Path)) else frames
    paths = [Path(one) for one in given if not isinstance(one, Image)]
    folders = dict.fromkeys(path if path.is_dir() else path.parent for path in paths)
    found = remembered.find(remembered.camera_of(images[0].metadata), folders)
    if found:
        return replace(found[0], name=f"{found[0].camera} ({found[1].name})")
    likely = likely_response(images) if options.ev == "auto" else parse(ASSUMED_RESPONSE)
    return None if likely.name == ASSUMED_RESPONSE else replace(likely, name=MEAN_OF_CAMERAS)


def decode(
    registered: RegisteredBracket, options: MergeOptions, known: Response | None
) -> tuple[RegisteredBracket, MeasuredResponse]:
    """The frames with the response that decodes them: recovered from themselves unless another was asked for.

    known: a curve which is taken in place of sRGB's, unless the frames show a better one.
    """
    insist = options.response == CALIBRATE
    if (insist and options.calibration != "bracket") or not (insist or options.response is None):
        return registered, MeasuredResponse()
    measured = measure_response(registered, known, insist)
    return with_measured(registered, measured), measured


def _comparing(
    options: MergeOptions, merger: Merger, registered: RegisteredBracket, measured: MeasuredResponse
) -> CompareOptions:
    """What the comparison looks for: ghosts if the method leaves them out; tones if the response is a guess.

    By a given curve a misstated exposure is told from a bent one; a measured curve was fitted to the stated exposures.
    """
    linear = registered.bracket.frames[0].image.encoding == "linear"
    given = options.response not in (None, CALIBRATE)
    by_default = None if given else measured.response is None
    return CompareOptions(
        deghost=options.deghost if merger.masks_ghosts else False,
        match=by_default if options.match is None else options.match,
        working_megapixels=merger.compares_at,
        curve_known=given or linear or measured.follows_srgb,
    )
