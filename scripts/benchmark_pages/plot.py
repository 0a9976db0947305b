"""Quality over cost as a small SVG that reads on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 62, 20, 34, 52
LETTER, LINE = 7.8, 15.0  # px that a letter is wide and a line of text high, at most
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.t{fill:#666}.g{stroke:#ddd}.f{stroke:#888;fill:none;"
    "stroke-dasharray:5 4}.p{stroke:#b33;stroke-dasharray:2 3}.c{fill:#2468b4}.n{fill:#d9822b}.d{stroke:#222;"
    "stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#ddd}.t{fill:#aaa}.g{stroke:#444}.d{stroke:#fff}}"
)


@dataclass(frozen=True)
class Point:
    """kind: `c` = classical, `n` = network. default: drawn with a ring."""

    name: str
    x: float
    y: float
    kind: str
    default: bool = False


@dataclass(frozen=True)
class Axes:
    """The window of the plot; x is logarithmic."""

    x: tuple[float, float]
    y: tuple[float, float]

    def px(self, x: float) -> float:
        low, high = map(math.log, self.x)
        return LEFT + (math.log(x) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def py(self, y: float) -> float:
        return HEIGHT - BOTTOM - (y - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)


def plot(points: Sequence[Point], floor: tuple[str, float], words: tuple[str, str, str]) -> str:
    """The picture. floor: name and quality of what a method has to beat. words: title, x axis, y axis."""
    axes = _axes(points, floor[1])
    at = axes.py(floor[1])
    parts = [
        *_grid(axes),
        f'<line class="p" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>',
        _text(WIDTH - RIGHT, at - 6, f"{floor[0]}: {floor[1]:.1f}", "end", "t"),
        _front(points, axes),
        *_dots(points, axes),
        _text(LEFT, 20, words[0]),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, words[1], "middle", "t"),
        f'<text class="t" transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{words[2]}</text>',
    ]
    spoken = "; ".join(f"{p.name} {p.y:.2f} at {p.x:.2g}" for p in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(words[0])}: {escape(spoken)}"><style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _axes(points: Sequence[Point], floor: float) -> Axes:
    xs, ys = [p.x for p in points], [floor, *(p.y for p in points)]
    room = 0.12 * (max(ys) - min(ys) or 1)
    return Axes((min(xs) / 1.6, max(xs) * 2.2), (min(ys) - room, max(ys) + room))


def _grid(axes: Axes) -> list[str]:
    lines = []
    for power in range(-3, 5):
        for digit in (1, 2, 5):
            x = digit * 10.0**power
            if axes.x[0] <= x <= axes.x[1]:
                lines.append(_line(axes.px(x), axes.px(x), TOP, HEIGHT - BOTTOM))
                lines.append(_text(axes.px(x), HEIGHT - BOTTOM + 18, f"{x:g}", "middle", "t"))
    step = next(s for s in (0.5, 1, 2, 5, 10, 20) if (axes.y[1] - axes.y[0]) / s <= 9)
    for number in range(math.ceil(axes.y[0] / step), math.floor(axes.y[1] / step) + 1):
        y = axes.py(number * step)
        lines += [_line(LEFT, WIDTH - RIGHT, y, y), _text(LEFT - 8, y + 4, f"{number * step:g}", "end", "t")]
    return lines


def _front(points: Sequence[Point], axes: Axes) -> str:
    """The line through the methods that no cheaper one beats."""
    best, corners = -math.inf, []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if point.y > best:
            best = point.y
            corners.append(f"{axes.px(point.x):.1f} {axes.py(point.y):.1f}")
    return f'<path class="f" d="M{"L".join(corners)}"/>'


def _dots(points: Sequence[Point], axes: Axes) -> list[str]:
    """Dots and their names, each where it lies on no other name or dot."""
    placed = [(axes.px(p.x) - 8, axes.px(p.x) + 8, axes.py(p.y)) for p in points]
    parts = []
    for point in points:
        x, y = axes.px(point.x), axes.py(point.y)
        wide = LETTER * len(point.name)
        spots = [
            (x + 11 if right else x - 11 - wide, y + lines * LINE)
            for lines in (0, 1, -1, 2, -2, 3, -3)
            for right in (True, False)
        ]
        left, line = next((spot for spot in spots if _free(spot, wide, placed)), spots[0])
        placed.append((left, left + wide, line))
        ring = " d" if point.default else ""
        parts.append(f'<circle class="{point.kind}{ring}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>')
        parts.append(_text(left, line + 4, point.name))
    return parts


def _free(spot: tuple[float, float], wide: float, placed: Sequence[tuple[float, float, float]]) -> bool:
    left, y = spot
    inside = left >= LEFT and left + wide <= WIDTH - 2 and TOP < y < HEIGHT - BOTTOM - 4
    return inside and all(left > b or left + wide < a or abs(y - line) >= LINE - 1 for a, b, line in placed)


def _line(x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="g" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
