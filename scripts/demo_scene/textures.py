"""Procedural textures as linear reflectance arrays (H, W, 3) float32 in 0..1; all tile unless stated."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Array = np.ndarray


def noise(shape: tuple[int, int], seed: int, slope: float = 2.0, cell: tuple[float, float] = (8, 8)) -> Array:
    """Tiling random field of mean 0 and deviation 1: flat spectrum up to `cell` cycles, then 1/f^slope.

    `cell` is (cycles down, cycles across) the tile; unequal numbers stretch it.
    """
    rng = np.random.default_rng(seed)
    down = np.fft.fftfreq(shape[0], 1 / shape[0])[:, None] / cell[0]
    across = np.fft.rfftfreq(shape[1], 1 / shape[1])[None] / cell[1]
    gain = (1 + down**2 + across**2) ** (-slope / 2)
    gain[0, 0] = 0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * gain, s=shape)
    return field / field.std()


def mix(a: Array, b: Array, weight: Array) -> Array:
    """Linear blend of two colours or images by a field in 0..1."""
    weight = np.clip(weight, 0, 1)[..., None]
    return (np.asarray(a) * (1 - weight) + np.asarray(b) * weight).astype(np.float32)


def srgb(code: str) -> Array:
    """Linear colour of a hex sRGB code such as "a0522d"."""
    value = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def step(field: Array, edge: float, width: float) -> Array:
    """0 below the edge, 1 above it, smooth over `width`."""
    t = np.clip((field - edge) / width + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def wood(dark: str, light: str, seed: int, size: int = 1024, rings: float = 9.0) -> Array:
    """Planed board, grain along u: growth rings drawn out along the grain, fibres and pores."""
    shape = (size, size)
    v = np.linspace(0, 1, size, endpoint=False)[:, None]
    warp = 0.9 * noise(shape, seed, 3.0, (2.0, 1.0))
    ring = np.sin(2 * np.pi * (np.round(rings) * v) + 2.2 * warp)
    late = np.abs(ring) ** 3 * np.sign(ring)
    fibre = noise(shape, seed + 1, 1.6, (160, 3))
    pores = step(noise(shape, seed + 2, 1.5, (220, 10)), 1.7, 0.5)
    tone = 0.55 + 0.22 * late + 0.10 * fibre + 0.12 * noise(shape, seed + 3, 2.5, (3, 1))
    return mix(srgb(dark), srgb(light), tone - 0.45 * pores)


def plank_floor(seed: int, size: int = 3072, rows: int = 34) -> tuple[Array, Array]:
    """Oak boards along u, `rows` over the tile; returns colour and height (bump), both tiling."""
    rng = np.random.default_rng(seed)
    stock = [wood("5a3a20", "b98d5c", seed + 10 * k, 1024, 5 + k) for k in range(4)]
    colour = np.zeros((size, size, 3), np.float32)
    height = np.ones((size, size), np.float32)
    edges = np.round(np.linspace(0, size, rows + 1)).astype(int)
    for top, bottom in pairwise(edges):
        joints = (rng.uniform(0, size) + np.cumsum(rng.uniform(0.26, 0.40, 3)) * size) % size
        joints = np.sort(joints).astype(int)
        line = np.arange(size)
        board = np.searchsorted(joints, line) % 3
        for k in range(3):
            columns = line[board == k]
            colour[top:bottom, columns] = _board(stock[rng.integers(4)], bottom - top, columns, rng)
        gap = np.abs((line[:, None] - joints + size // 2) % size - size // 2).min(1) < 1.5
        height[top:bottom, gap] = 0
        height[top : top + 2] = 0
    colour *= (0.25 + 0.75 * height)[..., None]
    worn = 1 + 0.06 * noise((size, size), seed + 7, 2.5, (4, 4))
    return np.clip(colour * worn[..., None], 0, 1).astype(np.float32), height


def _board(stock: Array, rows: int, columns: Array, rng: np.random.Generator) -> Array:
    """One floor board cut from a stock texture at a random place, with its own tint."""
    side = len(stock)
    down = (rng.integers(side) + 2 * np.arange(rows)) % side
    across = (rng.integers(side) + columns * 2 // 3) % side
    tint = rng.uniform(0.72, 1.12) * (1 + np.array([0.05, 0, -0.08]) * rng.standard_normal())
    return stock[down[:, None], across[None]] * tint


def plaster(colour: str, seed: int, size: int = 1024) -> tuple[Array, Array]:
    """Wall paint: faint clouds and roller marks; returns colour and height."""
    cloud = noise((size, size), seed, 2.5, (3, 3))
    roller = noise((size, size), seed + 1, 2.2, (90, 120))
    return np.clip(srgb(colour) * (1 + 0.012 * cloud + 0.008 * roller)[..., None], 0, 1).astype(np.float32), (
        0.5 + 0.15 * roller
    ).astype(np.float32)


def weave(colour: str, second: str, seed: int, mottle: float = 0.10) -> tuple[Array, Array]:
    """Plain-woven cloth of 160 threads a tile, worn unevenly by `mottle`; returns colour and height."""
    size, threads = 1024, 160
    y, x = np.mgrid[0:size, 0:size] / size * threads
    over = (np.floor(x) + np.floor(y)) % 2
    bulge = np.where(over > 0, np.sin(np.pi * (x % 1)), np.sin(np.pi * (y % 1)))
    slub = noise((size, size), seed, 1.5, (150, 12)) + noise((size, size), seed + 1, 1.5, (12, 150))
    tone = 0.5 + 0.16 * slub + 0.15 * (over - 0.5) + mottle * noise((size, size), seed + 2, 2.0, (5, 5))
    shade = 0.7 + 0.3 * bulge
    rumple = 40 * mottle * noise((size, size), seed + 3, 3.0, (2, 2))
    return (mix(srgb(colour), srgb(second), tone) * shade[..., None]).astype(np.float32), (
        bulge + rumple
    ).astype(np.float32)


def _rug_field(u: Array, v: Array) -> Array:
    """Palette index 0..4 of a carpet drawing; u, v in -1..1 with (0, 0) the centre."""
    a, b = np.abs(u), np.abs(v)
    index = np.zeros(u.shape, int)
    lattice = np.abs(((a * 7.5) % 1) - 0.5) + np.abs(((b * 5.25) % 1) - 0.5)
    index[lattice < 0.17] = 3
    index[(lattice > 0.40) & (lattice < 0.46)] = 2
    medallion = a / 0.52 + b / 0.60
    petals = medallion + 0.10 * np.cos(10 * np.arctan2(b * 1.2, a + 1e-9))
    for edge, ink in ((1.06, 2), (1.0, 1), (0.80, 3), (0.74, 4), (0.52, 2), (0.46, 0), (0.24, 3), (0.14, 1)):
        index[petals < edge] = ink
    small = (lattice < 0.16) & (petals < 0.72) & (petals > 0.54)
    index[small] = 2
    return index


def rug(seed: int, size: tuple[int, int] = (1100, 1600)) -> tuple[Array, Array]:
    """A knotted carpet over the unit square (does not tile): field, medallion, border bands; and its pile."""
    rng = np.random.default_rng(seed)
    rows, columns = size
    y, x = np.mgrid[0:rows, 0:columns]
    x, y = x // 4 * 4 + 2, y // 4 * 4 + 2
    u, v = 2 * x / columns - 1, 2 * y / rows - 1
    rim = np.minimum((1 - np.abs(u)) * columns / rows, 1 - np.abs(v))
    index = _rug_field(u, v)
    motif = np.abs((np.where((1 - np.abs(u)) * columns / rows < 1 - np.abs(v), v * 14, u * 20) % 1) - 0.5)
    inside = rim < 0.24
    index[inside] = np.where(motif[inside] * 0.3 + np.abs(rim[inside] - 0.13) < 0.12, 3, 1)
    dot = inside & (motif * 0.3 + np.abs(rim - 0.13) < 0.05)
    index[dot] = 0
    for low, high, ink in ((0.22, 0.25, 2), (0.255, 0.275, 4), (0.02, 0.045, 2), (0.0, 0.02, 4)):
        index[(rim >= low) & (rim < high)] = ink
    palette = np.stack([srgb(c) for c in ("7c2320", "22304d", "cdb48a", "b0763c", "2a1d1c")])
    knots = (
        rng.normal(1, 0.10, (rows // 4 + 1, columns // 4 + 1, 1)).repeat(4, 0).repeat(4, 1)[:rows, :columns]
    )
    abrash = 1 + 0.09 * noise(size, seed + 1, 2.0, (14, 2))[..., None]
    pile = noise(size, seed + 2, 1.0, (200, 300))
    colour = np.clip(palette[index] * knots * abrash * (1 + 0.10 * pile[..., None]), 0, 1)
    return colour.astype(np.float32), (0.5 + 0.2 * pile).astype(np.float32)


BOOK_COLOURS = [
    "7a2b22",
    "23405c",
    "2f4a36",
    "c9b183",
    "8a6a3d",
    "3a2a44",
    "b4532f",
    "d8cdb4",
    "1f2428",
    "5e7d86",
    "99782f",
    "6d1f33",
    "e2ddd0",
    "46586a",
    "7b8a5a",
    "c27b52",
]


def book_spines(seed: int, cells: int = 64, height: int = 320, width: int = 48) -> Array:
    """An atlas of book spines side by side (does not tile); the last eighth of its height is plain cover."""
    rng = np.random.default_rng(seed)
    return np.concatenate([_spine(rng, height, width) for _ in range(cells)], axis=1)


def _spine(rng: np.random.Generator, height: int, width: int) -> Array:
    cover = srgb(BOOK_COLOURS[rng.integers(len(BOOK_COLOURS))]) * rng.uniform(0.8, 1.15)
    light = cover.mean() > 0.25
    ink = srgb("2a2622") if light else srgb(("c9a75a", "d9d2c0", "b8903f")[rng.integers(3)])
    grain = 1 + 0.07 * noise((height, width), int(rng.integers(1 << 30)), 1.0, (20, 20))
    cell = np.ones((height, width, 3)) * cover * grain[..., None]
    for at in rng.choice([0.05, 0.09, 0.24, 0.62, 0.78, 0.82], rng.integers(0, 4), replace=False):
        cell[int(at * height) : int(at * height) + rng.integers(2, 5)] = ink
    if rng.random() < 0.35:
        top = int(height * rng.uniform(0.08, 0.2))
        cell[top : top + int(0.22 * height)] *= 0.35 if light else 1.9
    _title(cell, ink, rng)
    cell[int(height * 0.875) :] = cover
    return np.clip(cell, 0, 1).astype(np.float32)


def _title(cell: Array, ink: Array, rng: np.random.Generator) -> None:
    """Marks the size of letters, running down the spine."""
    height, width = cell.shape[:2]
    at, end = int(height * rng.uniform(0.14, 0.3)), int(height * rng.uniform(0.5, 0.72))
    left, right = int(width * 0.32), int(width * 0.68)
    while at < end:
        tall = int(rng.integers(4, 9))
        if rng.random() < 0.85:
            mark = rng.random((tall, right - left)) < 0.62
            cell[at : at + tall, left:right][mark] = ink
        at += tall + int(rng.integers(1, 4)) + (6 if rng.random() < 0.2 else 0)


def painting(seed: int, size: tuple[int, int] = (480, 640)) -> Array:
    """A brushed landscape for the picture frame (does not tile): dusk sky, hills, a lake."""
    rows, columns = size
    v, u = np.mgrid[0:rows, 0:columns] / np.array([rows, columns])[:, None, None]
    brush = noise(size, seed, 1.3, (70, 14))
    image = mix(srgb("5d7fa8"), srgb("f1c896"), (v - 0.05) * 2.0 + 0.08 * brush)
    image = mix(
        image,
        srgb("f6e3c4"),
        0.8 * step(noise(size, seed + 1, 2.2, (5, 2)) + 0.2 * brush, 0.7, 1.2) * (v < 0.45),
    )
    ridges = ((0.46, 0.10, "8091a3"), (0.52, 0.07, "5c7273"), (0.60, 0.05, "3f5a45"))
    for k, (base, rough, ink) in enumerate(ridges):
        line = base + rough * noise((2, columns), seed + 5 + k, 2.2, (1, 2 + k))[:1]
        image = mix(image, srgb(ink) * (1 + 0.15 * brush[..., None]), step(v - line, 0, 0.01))
    lake = step(v, 0.68, 0.02)
    image = mix(image, mix(srgb("7c93a6"), srgb("e3bf95"), 0.5 + 0.35 * brush), lake)
    shore = step(v - 0.86 - 0.05 * np.sin(5 * u + 1) - 0.02 * brush, 0, 0.02)
    return np.clip(mix(image, srgb("5a5a2c") * (1 + 0.3 * brush[..., None]), shore), 0, 1)


def tiles(seed: int, size: int = 1024, count: int = 8) -> tuple[Array, Array]:
    """Glazed square tiles, each of its own tone, and grout; returns colour and height."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size * count
    tone = rng.normal(0, 0.5, (count, count))[y.astype(int), x.astype(int)]
    edge = np.minimum.reduce([x % 1, y % 1, 1 - x % 1, 1 - y % 1])
    glaze = mix(
        srgb("2f6b6d"), srgb("6fa39b"), 0.5 + 0.3 * tone + 0.10 * noise((size, size), seed + 1, 2.0, (20, 20))
    )
    body = step(edge, 0.035, 0.02)
    return mix(srgb("b9b2a4"), glaze, body), (step(edge, 0.05, 0.08) + 0.03 * tone).astype(np.float32)


def leaf_skin(seed: int, size: tuple[int, int] = (128, 256)) -> Array:
    """A leaf over the unit square: midrib along u in the middle of v, side veins."""
    v, u = np.mgrid[0 : size[0], 0 : size[1]] / np.array(size)[:, None, None]
    off = np.abs(v - 0.5)
    vein = np.exp(-((off / 0.02) ** 2)) + 0.6 * np.exp(-((((u * 9 - off * 6) % 1 - 0.5) / 0.06) ** 2))
    return mix(srgb("20401c"), srgb("6d8f45"), 0.25 + 0.5 * vein * 0.6 + 0.1 * noise(size, seed, 1.5, (6, 6)))


def meadow(seed: int, size: int = 1024) -> Array:
    """Grass seen from a distance."""
    clump = noise((size, size), seed, 1.2, (30, 30))
    patch = noise((size, size), seed + 1, 2.0, (4, 4))
    green = mix(srgb("3d5a22"), srgb("86994a"), 0.45 + 0.22 * clump + 0.12 * patch)
    return mix(green, srgb("a89a63"), 0.6 * step(patch, 1.3, 1.0))


def brick(seed: int, size: int = 1024, courses: int = 24) -> Array:
    """Brick wall in stretcher bond."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    row = (y * courses).astype(int)
    along = x * courses / 3 + 0.5 * (row % 2)
    column = along.astype(int) % (courses // 3)
    tone = rng.normal(0, 1, (courses, courses // 3))[row, column]
    mortar = np.minimum.reduce([y * courses % 1, 1 - y * courses % 1, 3 * (along % 1), 3 * (1 - along % 1)])
    face = mix(
        srgb("6e4638"), srgb("a08070"), 0.5 + 0.25 * tone + 0.1 * noise((size, size), seed, 1.5, (60, 60))
    )
    return mix(srgb("b5ab9c"), face, step(mortar, 0.08, 0.06))


def roof(seed: int, size: int = 512, courses: int = 16) -> Array:
    """Clay roof tiles in rows."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size * courses
    tone = rng.normal(0, 1, (courses, courses))[y.astype(int), x.astype(int)]
    shade = 0.55 + 0.45 * (y % 1) ** 0.5
    return np.clip(mix(srgb("5c4038"), srgb("8f6a58"), 0.5 + 0.25 * tone) * shade[..., None], 0, 1)


def cloud_cover(seed: int, size: int = 512) -> Array:
    """Opacity (H, W, 1) of fair-weather clouds for a far screen."""
    field = noise((size, size), seed, 2.0, (3, 2)) + 0.25 * noise((size, size), seed + 1, 1.5, (12, 8))
    return (0.9 * step(field, 0.75, 2.0))[..., None].astype(np.float32)
