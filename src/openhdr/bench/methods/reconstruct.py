"""Run one setting of a method on one bracket."""

from __future__ import annotations

from openhdr.bench.methods.method_options import with_options
from openhdr.bench.methods.network import run_network
from openhdr.bench.methods.opencv import opencv
from openhdr.bench.methods.photos import Photos, reference_light
from openhdr.bench.methods.program import run_program
from openhdr.bench.methods.settings import OPTIONS, Setting
from openhdr.core.image import Image
from openhdr.pipeline.bracket_to_hdr import merge_bracket
from openhdr.pipeline.photo_to_hdr import expand_photo


def reconstruct(setting: Setting, photos: Photos) -> Image:
    """What the method makes of the bracket, by the same pipeline as the command line's.

    Linear light (1.0 = the reference clips), or an image for display from methods that make one.
    """
    of_bracket: dict[str, object] = {"method": setting.method}
    if photos.response is not None:
        of_bracket["response"] = photos.response
    if setting.task == "merge":
        reference = None if photos.reference is None else photos.reference + 1
        of_bracket |= {"ev": photos.ev, "reference": reference}
    options = with_options(with_options(OPTIONS[setting.task](), of_bracket), setting.options)
    if setting.task == "photo":
        return Image(reference_light(photos))
    if setting.task == "network":
        return Image(run_network(str(setting.method), photos, options))
    if setting.task == "opencv":
        return Image(opencv(photos, options))
    if setting.task == "program":
        return run_program(photos, options)
    if setting.task == "expand":
        return expand_photo(photos.frames[photos.anchor], options).result.image
    return merge_bracket(photos.frames, options).image
