"""`openhdr demo`: the main job on the built-in bracket, with its truth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from openhdr.cli.common import echo_json, progress_bar

DEFAULT_FOLDER = "openhdr-demo"


@click.command("demo")
@click.option(
    "-o",
    "--output",
    default=DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def demo(output: Path, as_json: bool) -> None:
    """Merge the built-in bracket, score it against its known truth and show the result.

    The bracket is three hand-held photos of a sunlit room, two stops apart, in which a toy train moves.
    Writes demo.exr (the HDR image), demo.png (a tone-mapped preview) and demo.html (compare photo, result and
    truth at any exposure; open it in a browser, no network needed).
    """
    from openhdr.bench.folders import make_folder

    make_folder(output)
    with progress_bar():
        facts = run_demo(output)
    if as_json:
        echo_json(facts)
        return
    click.echo(
        f"merged {facts['frames']} photos of {facts['width']}x{facts['height']} in {facts['seconds']:.1f} s"
    )
    click.echo(f"score: {facts['score']:.2f} dB against the truth; the photo alone: {facts['photo']:.2f} dB")
    click.echo(f"       {facts['protocol']}")
    for key, what in (("exr", "the HDR image"), ("preview", "tone-mapped"), ("page", "compare in a browser")):
        click.echo(f"{facts[key]}  ({what})")


def run_demo(output: Path) -> dict[str, Any]:
    """Merge the photos as a user would, from files and metadata; write the results; return the facts."""
    from openhdr import io
    from openhdr.bench.named import demo_folder, demo_photos, read_demo
    from openhdr.core.progress import task
    from openhdr.pipeline import merge
    from openhdr.tonemapping import tonemap

    with task("demo", 4) as advance:
        scene = read_demo(demo_folder())
        advance()
        start = time.perf_counter()
        merged = merge(demo_photos())
        seconds = time.perf_counter() - start
        advance()
        facts = {**_scores(merged.pixels, scene), "seconds": seconds, "frames": len(scene.frames)}
        facts |= {"width": merged.width, "height": merged.height}
        facts |= {"exr": str(output / "demo.exr"), "preview": str(output / "demo.png")}
        facts["page"] = str(output / "demo.html")
        io.write(facts["exr"], merged)
        io.write(facts["preview"], tonemap(merged, dtype="uint8"))
        advance()
        _page(Path(facts["page"]), merged.pixels, scene, facts)
        advance()
    return facts


def _scores(merged: Any, scene: Any) -> dict[str, Any]:
    """psnr-mu of the merged image and of the reference photo alone, with the protocol in words."""
    from openhdr import metrics
    from openhdr.bench.case import Column
    from openhdr.bench.methods import reference_light
    from openhdr.bench.scoring import on_scale

    column = Column("psnr-mu", "shortest")
    truth = on_scale(scene.truth, scene, column)
    ours, photo = (
        metrics.scores(on_scale(light, scene, column), truth, [column.metric])[0]
        for light in (merged, reference_light(scene))
    )
    return {
        "metric": column.key,
        "score": ours.value,
        "photo": photo.value,
        "protocol": f"psnr-mu with {column.scale_text} ({ours.protocol.partition('; ')[2]})",
    }


def _page(path: Path, merged: Any, scene: Any, facts: dict[str, Any]) -> None:
    from openhdr.bench.demo_page import write_demo_page

    gain = facts["score"] - facts["photo"]
    told = {
        "lead": f"{facts['frames']} photos, hand-held and two stops apart, of a sunlit room in which a toy "
        "train rolls, were aligned, cleaned of ghosts and merged in "
        f"{facts['seconds']:.1f} s. Left: the middle photo alone. Right: the merged image.",
        "try": "The exposure is turned down, as if the photo had been taken darker. Where the photo was "
        "clipped it turns to flat grey, because it holds nothing there; the merged image shows what is "
        "outside the window. Turn the exposure up to compare the noise in the shadows.",
        "score": f"The merged image reaches {facts['score']:.2f} dB against the exact light of the scene, "
        f"the photo alone {facts['photo']:.2f} dB. {gain:.1f} dB more means an error "
        f"{10 ** (gain / 20):.1f} times smaller.",
        "protocol": "Protocol: " + facts["protocol"] + ".",
    }
    write_demo_page(path, merged, scene, told)
