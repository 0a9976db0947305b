"""`openhdr demo`: the main job on the built-in bracket, with its truth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openhdr.cli.shared.command import command
from openhdr.cli.shared.terminal import echo_json, format_table, progress_bar
from openhdr.core.options import option

if TYPE_CHECKING:
    import numpy as np

    from openhdr.bench.case import BenchScene
    from openhdr.pipeline.bracket_to_hdr import MergeResult

DEFAULT_FOLDER = "openhdr-demo"

RESULTS = {
    "exr": "the HDR image",
    "preview": "tone-mapped",
    "picture": "for every screen, HDR where the screen is",
    "page": "compare in a browser",
    "ghosts": "what was trusted of each photo: white",
    "motion": "how far each photo was moved: hue = direction, brightness = distance",
}


@dataclass(frozen=True)
class Request:
    """The command's options."""

    output: Path = option(
        "Folder for the results.",
        Path(DEFAULT_FOLDER),
        flags=("-o", "--output"),
        kind=click.Path(path_type=Path, file_okay=False),
    )
    maps: bool = option("Also write what was trusted of each photo, and how far each was moved.", False)
    as_json: bool = option("Print the facts as JSON.", False, flags=("--json",))


@command("demo", Request)
def demo(request: Request) -> None:
    """Merge the built-in bracket, score it against its known truth and show the result.

    The bracket is three hand-held photos of a sunlit room, two stops apart, in which a toy train moves.
    Writes demo.exr (the HDR image), demo.jpg (the same for every screen, HDR where the screen is), demo.png (a
    tone-mapped preview) and demo.html (compare photo, result and truth at any exposure; open it in a browser, no
    network needed).
    """
    from openhdr.core.files import make_folder

    make_folder(request.output)
    with progress_bar():
        facts = run_demo(request.output, request.maps)
    if request.as_json:
        echo_json(facts)
        return
    click.echo(
        f"merged {facts['frames']} photos of {facts['width']}x{facts['height']} in {facts['seconds']:.1f} s"
    )
    click.echo("against the known truth, in dB (6 dB more = half the error):")
    clipped = f"where the photo clips ({100 * facts['clipped_share']:.1f} %)"
    rows = [
        {"": "merged", "all": f"{facts['score']:.2f}", clipped: f"{facts['score_where_clipped']:.2f}"},
        {"": "photo alone", "all": f"{facts['photo']:.2f}", clipped: f"{facts['photo_where_clipped']:.2f}"},
    ]
    click.echo(format_table(rows))
    click.echo(facts["protocol"])
    for key, what in RESULTS.items():
        if key in facts:
            click.echo(f"{facts[key]}  ({what})")


def run_demo(output: Path, maps: bool = False) -> dict[str, Any]:
    """Merge the photos as a user would, from files and metadata; write the results; return the facts."""
    from openhdr import io
    from openhdr.bench.named_cases import demo_folder, demo_photos, read_demo
    from openhdr.core.progress import task
    from openhdr.pipeline.bracket_to_hdr import merge_bracket
    from openhdr.pipeline.delivery import write
    from openhdr.tonemapping import tonemap

    with task("demo", 4) as advance:
        scene = read_demo(demo_folder())
        advance()
        start = time.perf_counter()
        result = merge_bracket(demo_photos())
        merged = result.image
        seconds = time.perf_counter() - start
        advance()
        facts = {**_scores(merged.pixels, scene), "seconds": seconds, "frames": len(scene.frames)}
        facts |= {"width": merged.width, "height": merged.height}
        facts |= {"exr": str(output / "demo.exr"), "preview": str(output / "demo.png")}
        facts["page"] = str(output / "demo.html")
        io.write(facts["exr"], merged)
        io.write(facts["preview"], tonemap(merged, dtype="uint8"))
        facts["picture"] = str(output / "demo.jpg")
        write(facts["picture"], merged)
        if maps:
            facts |= _maps(output, result)
        advance()
        _page(Path(facts["page"]), merged.pixels, scene, facts)
        advance()
    return facts


def _maps(output: Path, result: MergeResult) -> dict[str, str]:
    """Write the images of what the merge did; where they are."""
    from openhdr import io
    from openhdr.merging.masks import ghost_sheet, motion_sheet

    files = {"ghosts": str(output / "demo-ghosts.png"), "motion": str(output / "demo-motion.png")}
    used = [result.share_used(index) for index in range(len(result.consistency))]
    io.write(files["ghosts"], ghost_sheet(result.bracket, result.consistency, used))
    io.write(files["motion"], motion_sheet(result.registrations, result.image.pixels.shape[:2]))
    return files


def _scores(merged: np.ndarray, scene: BenchScene) -> dict[str, Any]:
    """psnr-mu of the merged image and of the reference photo alone: everywhere, and where the photo clips."""
    from openhdr import metrics
    from openhdr.bench.methods.photos import reference_light
    from openhdr.bench.scoring import on_scale
    from openhdr.metrics import Column

    column = Column("psnr-mu", "shortest")
    photo = reference_light(scene.given)
    clipped = (scene.truth >= 1).any(axis=2)

    def score(light: np.ndarray, where: Any) -> metrics.Score:
        test, truth = (on_scale(x, scene, column)[where].reshape(-1, 1, 3) for x in (light, scene.truth))
        return metrics.scores(test, truth, [column.metric])[0]

    everywhere = score(merged, ...)
    return {
        "metric": column.key,
        "score": everywhere.value,
        "photo": score(photo, ...).value,
        "clipped_share": float(clipped.mean()),
        "score_where_clipped": score(merged, clipped).value,
        "photo_where_clipped": score(photo, clipped).value,
        "protocol": f"psnr-mu with {column.scale_text} ({everywhere.protocol.partition('; ')[2]})",
    }


def _page(path: Path, merged: np.ndarray, scene: BenchScene, facts: dict[str, Any]) -> None:
    from openhdr.bench.report.demo_page import write_demo_page

    words = {
        "lead": f"{facts['frames']} photos, hand-held and two stops apart, of a sunlit room in which a toy "
        "train rolls, were aligned, cleaned of ghosts and merged in "
        f"{facts['seconds']:.1f} s. Left: the middle photo alone. Right: the merged image.",
        "try": "The exposure is turned down, as if the photo had been taken darker. Where the photo was "
        "clipped it turns to flat grey, because it holds nothing there; the merged image shows what is "
        "outside the window. Turn the exposure up to compare the noise in the shadows.",
        "score": f"The merged image reaches {facts['score']:.2f} dB against the exact light of the scene, "
        f"the photo alone {facts['photo']:.2f} dB. In the {100 * facts['clipped_share']:.1f} % of the picture "
        f"where the photo clips it is {facts['score_where_clipped']:.2f} dB against "
        f"{facts['photo_where_clipped']:.2f} dB. 6 dB more means half the error.",
        "protocol": "Protocol: " + facts["protocol"] + ".",
    }
    write_demo_page(path, merged, scene, words, Path(facts["picture"]).read_bytes())
