"""Tables of the robustness case, one a family of cells, each with a sentence of reading."""

from __future__ import annotations

from benchmark_pages.markdown import Head, ordered, scores
from benchmark_pages.stored import PHOTO, Stored
from openhdr.bench.robustness import FAMILIES, Family

KEY = "psnr-mu@shortest"
STEADY = 1.0  # dB
MEANT = {
    "objects move": "How far objects move from frame to frame, in a picture 384 pixels wide.",
    "camera moves": "How far the camera turns from frame to frame, in pixels of the picture. On a tripod the merge "
    "takes out only what it takes for an object; `--deghost` has it leave out all that differs.",
    "EV step": "Stops between neighbouring frames.",
    "ISO": "Sensitivity: each step of four times is two stops less light and more noise.",
    "response": "The camera's curve. Where methods take a curve for another, the truth is out of reach: all light "
    "is bent, the photo's too.",
    "declared exposures": "What methods are given, beside what the camera did. The response is declared here, so "
    "an exposure that is off by the same in dark and bright places is corrected by `mle` and `trustnet`.",
}


def robust_tables(stored: Stored) -> str:
    names = ordered(stored, KEY)
    return "\n\n".join(_part(family, stored, names) for family in FAMILIES)


def _part(family: Family, stored: Stored, names: list[str]) -> str:
    groups = {cell.label: family.group(cell) for cell in family.cells}
    heads = [Head(label, _mean(stored, group)) for label, group in groups.items()]
    parts = (
        f"### {family.name[0].upper()}{family.name[1:]}",
        MEANT[family.name],
        scores(stored, names, heads),
    )
    return "\n\n".join([*parts, _reading(stored, groups, names)])


def _mean(stored: Stored, group: str):
    return lambda name: stored.mean(name, KEY, group)


def _reading(stored: Stored, groups: dict[str, str], names: list[str]) -> str:
    """What the family does to the default, and where something else is better."""
    default = stored.default
    means = {label: stored.mean(default, KEY, group) or 0.0 for label, group in groups.items()}
    photo = {label: stored.mean(PHOTO, KEY, group) or 0.0 for label, group in groups.items()}
    worst, top = (pick(means, key=lambda label: means[label]) for pick in (min, max))
    least = min(means[label] - photo[label] for label in means)
    gain = f"gains {least:.1f} dB or more over the photo alone"
    if means[top] - means[worst] < STEADY:
        said = f"`{default}` stays within {means[top] - means[worst]:.1f} dB and {gain}"
    else:
        said = f"`{default}` goes from {means[top]:.1f} dB ({top}) down to {means[worst]:.1f} ({worst}) and {gain}"
    others = {label: stored.best(KEY, group, names) for label, group in groups.items()}
    leads = [
        f"`{name}` with '{label}' ({(stored.mean(name, KEY, groups[label]) or 0) - means[label]:+.1f} dB)"
        for label, name in others.items()
        if name != default
    ]
    return f"{said}. Ahead of it: {', '.join(leads) or 'no other method in this table'}."
