"""Every material of the scene: name -> Mitsuba BSDF. Texture tiles are given in metres."""

from __future__ import annotations

import mitsuba as mi
import numpy as np

from . import textures as tx

Array = np.ndarray


def bitmap(pixels: Array, tile: float = 1.0) -> dict:
    """A texture from an array; `tile` is its width in the units of the texture coordinates."""
    pixels = np.ascontiguousarray(np.atleast_3d(pixels), dtype=np.float32)
    scale = mi.ScalarTransform4f().scale([1 / tile, 1 / tile, 1])
    return {"type": "bitmap", "bitmap": mi.Bitmap(pixels), "raw": True, "to_uv": scale}


def rgb(colour: str | Array) -> dict:
    value = tx.srgb(colour) if isinstance(colour, str) else colour
    return {"type": "rgb", "value": [float(v) for v in value]}


def solid(
    base: dict, roughness: float, specular: float = 0.5, metallic: float = 0.0, coat: float = 0.0
) -> dict:
    """An opaque surface seen from both sides."""
    body = {
        "type": "principled",
        "base_color": base,
        "roughness": roughness,
        "specular": specular,
        "metallic": metallic,
        "clearcoat": coat,
        "clearcoat_gloss": 0.9,
    }
    return {"type": "twosided", "bsdf": body}


def bumped(bsdf: dict, height: Array, tile: float, depth: float) -> dict:
    """`bsdf` with a height field of `depth` metres; it goes inside the two-sided wrapper."""
    bump = {"type": "bumpmap", "scale": depth, "arbitrary": bitmap(height, tile), "bsdf": bsdf["bsdf"]}
    return {"type": "twosided", "bsdf": bump}


def sheet(base: dict, passing: float) -> dict:
    """A thin sheet that scatters light to both sides: `passing` of it goes through."""
    return {
        "type": "principledthin",
        "base_color": base,
        "roughness": 0.8,
        "diff_trans": 2 * passing,
        "eta": 1.3,
    }


def all_materials() -> dict[str, dict]:
    return _room() | _cloths() | _woods_and_metals() | _small_things() | _garden()


def _room() -> dict[str, dict]:
    floor, floor_height = tx.plank_floor(1)
    wall, wall_height = tx.plaster("d9d6c8", 2)
    glaze, glaze_height = tx.tiles(3)
    return {
        "floor": bumped(solid(bitmap(floor, 4.6), 0.38, 0.45), floor_height, 4.6, 0.0012),
        "wall": bumped(solid(bitmap(wall, 1.3), 0.75, 0.3), wall_height, 1.3, 0.0006),
        "ceiling": solid(rgb("f1efe9"), 0.9, 0.2),
        "white_paint": solid(rgb("e9e6dc"), 0.35),
        "tile": bumped(solid(bitmap(glaze, 0.9), 0.12, 0.6), glaze_height, 0.9, 0.0015),
        "picture": solid(bitmap(tx.painting(4)[::-1]), 0.5, 0.3),
        "mat_board": solid(rgb("ece8dd"), 0.9, 0.2),
    }


def _cloths() -> dict[str, dict]:
    linen, _ = tx.weave("d3c9b2", "efe8d8", 11, 0.015)
    tweed, tweed_height = tx.weave("8a3f23", "b9653a", 12)
    blue, blue_height = tx.weave("2b4a56", "5d8188", 13)
    carpet, pile = tx.rug(14)
    return {
        "curtain": sheet(bitmap(linen, 0.42), 0.30),
        "shade": sheet(bitmap(tx.weave("dccfae", "efe6cf", 15, 0.02)[0], 0.30), 0.42),
        "tweed": bumped(solid(bitmap(tweed, 0.45), 0.85, 0.2), tweed_height, 0.45, 0.0010),
        "cushion": bumped(solid(bitmap(blue, 0.40), 0.85, 0.2), blue_height, 0.40, 0.0010),
        "rug": bumped(solid(bitmap(carpet), 0.95, 0.1), pile, 1.0, 0.004),
        "fringe": solid(rgb("cbbb98"), 0.9, 0.1),
    }


def _woods_and_metals() -> dict[str, dict]:
    return {
        "walnut": solid(bitmap(tx.wood("2e1a10", "7d5333", 21), 0.9), 0.32, 0.5),
        "oak": solid(bitmap(tx.wood("7a5632", "c79f6b", 22), 0.8), 0.35, 0.5),
        "dark_wood": solid(bitmap(tx.wood("1d110b", "4a2f1e", 23), 0.9), 0.4, 0.45),
        "beech": solid(bitmap(tx.wood("b58a58", "e0bf8c", 24), 0.25), 0.35, 0.5),
        "brass": solid(rgb(np.array([0.80, 0.55, 0.22])), 0.22, 0.5, 1.0),
        "steel": solid(rgb(np.array([0.72, 0.71, 0.69])), 0.10, 0.5, 1.0),
        "red": solid(rgb("b3201c"), 0.22, 0.5, 0.0, 0.5),
        "green": solid(rgb("2f6b3c"), 0.22, 0.5, 0.0, 0.5),
        "blue": solid(rgb("22518f"), 0.22, 0.5, 0.0, 0.5),
        "yellow": solid(rgb("dba420"), 0.22, 0.5, 0.0, 0.5),
        "black": solid(rgb("17181a"), 0.25, 0.5),
    }


def _small_things() -> dict[str, dict]:
    peel = tx.noise((256, 256), 31, 1.5, (40, 40))
    clay = tx.noise((256, 256), 32, 2.0, (6, 20))
    soil = tx.mix(tx.srgb("1c130c"), tx.srgb("4d3a28"), 0.4 + 0.25 * tx.noise((128, 128), 33, 1.0, (30, 30)))
    terracotta = tx.mix(tx.srgb("91502f"), tx.srgb("c98159"), 0.5 + 0.16 * clay)
    glass = {
        "type": "dielectric",
        "int_ior": 1.5,
        "specular_transmittance": rgb(np.array([0.93, 0.975, 0.96])),
    }
    return {
        "book": solid(bitmap(tx.book_spines(34)[::-1]), 0.5, 0.4),
        "paper": solid(rgb("e4dcc6"), 0.9, 0.2),
        "ceramic": solid(rgb("dfe3df"), 0.12, 0.55),
        "ceramic_blue": solid(rgb("27455f"), 0.15, 0.55),
        "terracotta": solid(bitmap(terracotta, 0.4), 0.8, 0.3),
        "soil": solid(bitmap(soil, 0.2), 0.95, 0.1),
        "orange": bumped(solid(rgb("e07b12"), 0.35, 0.45), peel, 0.12, 0.0006),
        "apple": solid(rgb("8fa83a"), 0.25, 0.5),
        "plant": sheet(bitmap(tx.leaf_skin(35)), 0.25),
        "stem": solid(rgb("5f6d3a"), 0.6),
        "glass": glass,
        "bulb": {"type": "diffuse", "reflectance": rgb("c8c8c8")},
    }


def _garden() -> dict[str, dict]:
    leaves = tx.mix(
        tx.srgb("35521f"), tx.srgb("88a347"), 0.5 + 0.25 * tx.noise((256, 256), 41, 0.3, (60, 60))
    )
    hedge = tx.mix(tx.srgb("2b4520"), tx.srgb("5f7d3a"), 0.5 + 0.25 * tx.noise((256, 256), 42, 0.3, (60, 60)))
    cover = bitmap(tx.cloud_cover(43))
    return {
        "meadow": solid(bitmap(tx.meadow(44), 9.0), 0.95, 0.1),
        "foliage": sheet(bitmap(leaves), 0.30),
        "hedge": sheet(bitmap(hedge), 0.15),
        "bark": solid(rgb("5a4a3b"), 0.9, 0.1),
        "brick": solid(bitmap(tx.brick(45), 1.9), 0.9, 0.2),
        "roof": solid(bitmap(tx.roof(46), 3.0), 0.9, 0.2),
        "pane": solid(rgb("1b2229"), 0.05, 0.7),
        "hill": solid(
            bitmap(tx.mix(tx.srgb("5b7450"), tx.srgb("7d8f68"), 0.5 + 0.3 * tx.noise((256, 256), 47)), 60),
            1.0,
        ),
        "paving": solid(
            bitmap(tx.mix(tx.srgb("a79d8b"), tx.srgb("c4bba9"), 0.5 + 0.3 * tx.noise((256, 256), 48)), 2), 0.9
        ),
        "cloud": {
            "type": "mask",
            "opacity": cover,
            "bsdf": {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": rgb(np.full(3, 0.7))}},
        },
    }
