"""The named cases, and those made of a user's own scenes."""

from __future__ import annotations

from functools import partial
from importlib import resources
from pathlib import Path

from openhdr import io
from openhdr.bench.case import BenchScene, Case, SceneEntry
from openhdr.bench.methods.settings import expand_settings, merge_settings
from openhdr.camera.response import Response
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Image
from openhdr.data.benchmark import PUBLIC, REAL_CAMERA, cases, write_benchmark
from openhdr.data.benchmark import Case as Published
from openhdr.data.files import read_json, read_linear
from openhdr.data.readers.simulated import open_simulated
from openhdr.data.sample import Sample, exposures_of, truth_of
from openhdr.data.simulated import digest_of
from openhdr.metrics import Column
from openhdr.simulation.picture_style import PREFIX as STYLE
from openhdr.simulation.sensor import UNNAMED, decode_curve

DEMO_TITLE = "Sunlit room with a rolling toy train"


def demo(data: Path | None, work: Path) -> Case:
    """The built-in bracket."""
    if data is not None:
        raise RequestError("the demo case brings its own bracket; leave `data` out")
    settings, notes = merge_settings()
    return Case(
        "demo",
        DEMO_TITLE,
        "One path-traced bracket, hand-held, in which a toy train moves; its exact light is known.",
        (SceneEntry("room", "", partial(read_demo, demo_folder())),),
        settings,
        notes=notes,
    )


def demo_folder() -> Path:
    """Where the built-in bracket lies. Raises FileError when the installation lacks it."""
    folder = Path(str(resources.files("openhdr") / "demo"))
    if not (folder / "scene.json").is_file():
        raise FileError(folder / "scene.json", "is missing from this installation", "install openhdr again")
    return folder


def demo_photos() -> list[Path]:
    """The files of the built-in bracket's photos, with their exposures in the metadata."""
    folder = demo_folder()
    return [folder / name for name in read_json(folder / "scene.json")["frames"]]


def read_demo(folder: Path) -> BenchScene:
    """A bracket in the demo's layout; `reference` in its scene.json counts from 1."""
    facts = read_json(folder / "scene.json")
    frames = tuple(io.read(folder / name) for name in facts["frames"])
    reference = int(facts["reference"]) - 1
    ev = tuple(float(stop) - float(facts["ev"][reference]) for stop in facts["ev"])
    return BenchScene(frames, ev, reference, facts["response"], read_linear(folder / facts["truth"]))


MERGE_COLUMNS = (
    Column("psnr-mu", "shortest"),
    Column("psnr-l", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("pu21-psnr", "shortest", "abs:1000"),
    Column("pu21-ssim", "shortest", "abs:1000"),
    Column("hdr-vdp-2", "shortest"),
    Column("tm-psnr", "shortest"),
    Column("tm-ssim", "shortest"),
    Column("psnr-mu", "reference"),
    Column("ntire-psnr", "reference"),
    Column("ntire-psnr-mu", "reference"),
    Column("delta-e-2000", "reference"),
)
CLIP_CD_M2 = "abs:100"  # of one photo: the level where it clips
EXPAND_COLUMNS = (
    Column("pu21-psnr", "reference"),
    Column("pu21-ssim", "reference"),
    Column("hdr-vdp-2", "reference", "liu2020"),
    Column("tm-psnr", "reference"),
    Column("tm-ssim", "reference"),
    Column("psnr-mu", "reference"),
    Column("psnr-mu", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("ntire-psnr", "reference"),
    Column("ntire-psnr-mu", "reference"),
    Column("delta-e-2000", "reference"),
)
BRACKETS = (
    "32 hand-held brackets of three frames, 576x384, simulated from eight panoramas: in 24 of them "
    "something moves, in 8 nothing does. Every bracket was checked against its published hash."
)


def public(data: Path | None, work: Path) -> Case:
    """The public benchmark. data: folder of its panoramas, or of its brackets once they are made."""
    settings, notes = merge_settings()
    scenes = _published(data, work)
    title = "The public benchmark of openhdr"
    return Case("public", title, BRACKETS, scenes, settings, MERGE_COLUMNS, notes=notes)


def public_single(data: Path | None, work: Path) -> Case:
    """One photo to HDR on the reference frames of the public benchmark. data: as for `public`."""
    settings, notes = expand_settings()
    return Case(
        "public-single",
        "The public benchmark of openhdr: one photo to HDR",
        f"The reference frames of {BRACKETS} A method sees this one photo; the truth is the whole light.",
        _published(data, work),
        settings,
        EXPAND_COLUMNS,
        CLIP_CD_M2,
        notes=("PU21: the level where the photo clips is 100 cd/m2.", *notes),
    )


REAL_CAMERA_COLUMNS = (
    Column("psnr-mu", "shortest"),
    Column("psnr-mu-curve", "shortest"),
    Column("ssim-mu", "shortest"),
    Column("pu21-psnr", "shortest", "abs:1000"),
    Column("psnr-mu", "reference"),
)


def public_real_camera(data: Path | None, work: Path) -> Case:
    """Brackets by cameras whose curves are not declared. data: as for `public`."""
    settings, notes = merge_settings()
    return Case(
        REAL_CAMERA,
        "The public benchmark of openhdr: real cameras",
        "20 brackets of three to nine frames, 720x480, simulated from eight panoramas with the lens, picture style and "
        "processing of another camera each: 12 hand-held with motion, 8 from a tripod. Every bracket was checked "
        "against its published hash.",
        _published(data, work, REAL_CAMERA),
        settings,
        REAL_CAMERA_COLUMNS,
        notes=(
            "Methods are given the exposures that the camera declares, and no response.",
            "psnr-mu asks for the light itself; psnr-mu-curve forgives a wrong curve, one for the whole picture.",
            *notes,
        ),
    )


def _published(data: Path | None, work: Path, benchmark: str = PUBLIC) -> tuple[SceneEntry, ...]:
    """The brackets of a public benchmark, made in `work` where `data` holds only the panoramas."""
    if data is None:
        raise RequestError(
            "the public cases need their panoramas; give their folder as `data` (public_test/hdri)"
        )
    listed = cases(benchmark)
    folder = data if (data / listed[0].name).is_dir() else work / "brackets"
    if not all((folder / case.name / "scene.json").is_file() for case in listed):
        write_benchmark([data], folder, benchmark)
    return tuple(SceneEntry(case.name, case.group, partial(_read_published, folder, case)) for case in listed)


def _read_published(folder: Path, case: Published) -> BenchScene:
    """A bracket of a public benchmark. Raises FileError when it is not the published one."""
    sample = open_simulated(folder, "").load(case.name)
    if digest_of(sample) != case.sha256:
        raise FileError(
            folder / case.name, "differs from the published bracket", "remove the folder and run again"
        )
    return scene_of(sample)


def folder_case(folder: Path) -> Case:
    """All brackets of a folder that `openhdr simulate` wrote, by the default methods."""
    entries = scene_entries(folder)
    title, text = (
        f"Brackets in {folder.name}",
        "Every bracket that was found in the folder, by the default methods.",
    )
    settings, notes = merge_settings()
    return Case(folder.name, title, text, entries, settings, notes=notes)


def scene_entries(folder: Path) -> tuple[SceneEntry, ...]:
    """The simulated brackets in a folder, grouped by whether anything moves."""
    dataset = open_simulated(folder, "")
    found = []
    for name, entry in dataset.entries.items():
        moves = any(read_json(entry.files[0]).get("moved_share", []))
        load = partial(lambda name: scene_of(dataset.load(name)), name)
        found.append(SceneEntry(name, "moving" if moves else "still", load))
    return tuple(found)


def scene_of(sample: Sample) -> BenchScene:
    """A simulated bracket as the pipeline takes it. Exposures become relative to the reference.

    A picture style is not declared: real photos do not declare theirs.
    """
    stops = exposures_of(sample)
    ev = tuple(stop - stops[sample.reference] for stop in stops)
    frames = tuple(Image(frame, "srgb") for frame in sample.frames)
    response: Response | str | None = sample.response
    if sample.response.startswith(STYLE):
        response = None
    elif sample.response.startswith(UNNAMED):
        response = Response(sample.response, decode_curve(sample.response))
    return BenchScene(frames, ev, sample.reference, response, truth_of(sample))
