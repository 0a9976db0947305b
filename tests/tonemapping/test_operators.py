"""What holds for every operator of the table, and what the global ones promise beyond it."""

from __future__ import annotations

import importlib
import pkgutil
import tracemalloc
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

import openhdr.tonemapping
from openhdr.color.oklab import from_linear
from openhdr.color.transfer import srgb_decode
from openhdr.core.errors import FileError, RequestError
from openhdr.core.image import Exposure, Image
from openhdr.tonemapping import DEFAULT, OPERATORS, changed, parse, preset, tonemap
from openhdr.tonemapping.operator_options import DragoOptions, ExposureOptions, HableOptions
from openhdr.tonemapping.rendering import with_contrast

GLOBAL = [name for name, row in OPERATORS.items() if not row.local]
RATIO_KEEPING = [name for name in OPERATORS if name not in ("exposure", "local-laplacian")]
F32 = np.float32


def scene(rng: np.random.Generator, height: int = 90, width: int = 120) -> np.ndarray:
    """A dim half, a bright half (1:300), texture and colour."""
    light = np.where(np.arange(width) < width // 2, 0.02, 6.0)[None, :, None]
    return (
        light * rng.uniform(0.5, 1.5, (height, width, 1)) * rng.uniform(0.4, 1, (height, width, 3))
    ).astype(F32)


def sun_over_grey() -> np.ndarray:
    """A diffuse scene (0.1..0.3) with one pixel of 1e5."""
    picture = np.full((60, 80, 3), 0.2, F32) * np.linspace(0.5, 1.5, 80, dtype=F32)[None, :, None]
    picture[7, 9] = 1e5
    return picture


EDGE_CASES = {
    "black": np.zeros((9, 7, 3), F32),
    "white": np.ones((16, 16, 3), F32),
    "constant colour": np.tile(F32([0.9, 0.1, 0.3]), (20, 30, 1)),
    "one pixel": np.full((1, 1, 3), 3, F32),
    "one black pixel": np.zeros((1, 1, 3), F32),
    "one row": np.linspace(0, 9, 150, dtype=F32).reshape(1, 50, 3),
    "one column": np.linspace(0, 9, 150, dtype=F32).reshape(50, 1, 3),
    "two by two": np.linspace(0, 9, 12, dtype=F32).reshape(2, 2, 3),
    "sun": sun_over_grey(),
    "light in the dark": np.pad(np.full((1, 1, 3), 5, F32), ((3, 3), (3, 3), (0, 0))),
    "huge": np.linspace(1e30, 3.4e38, 300, dtype=F32).reshape(10, 10, 3),
    "tiny": np.linspace(0, 1e-38, 300, dtype=F32).reshape(10, 10, 3),
    "all of float32": np.logspace(-38, 38, 1200, dtype=F32).reshape(20, 20, 3),
    "one primary": np.linspace(0, 4, 100, dtype=F32).reshape(10, 10, 1) * F32([0, 0, 1]),
}


def test_table_and_folder_agree() -> None:
    helpers = {"operator_options", "rendering", "statistics"}
    files = {module.name for module in pkgutil.iter_modules(openhdr.tonemapping.__path__)} - helpers
    assert files == {name.replace("-", "_") for name in OPERATORS}
    for row in OPERATORS.values():
        assert callable(row.load())
        assert importlib.import_module(row.target.split(":")[0]).DEFAULTS.__dataclass_params__.frozen


@pytest.mark.parametrize("case", EDGE_CASES)
@pytest.mark.parametrize("name", OPERATORS)
def test_any_picture_gives_display_values(name: str, case: str) -> None:
    linear = EDGE_CASES[case]
    before = linear.copy()
    display = OPERATORS[name].load()(linear)
    assert display.dtype == F32 and display.shape == linear.shape
    assert np.isfinite(display).all() and display.min() >= 0 and display.max() <= 1
    assert np.array_equal(linear, before)


@pytest.mark.parametrize("name", OPERATORS)
def test_black_stays_black_and_a_constant_is_neither_black_nor_white(name: str) -> None:
    operator = OPERATORS[name].load()
    assert operator(EDGE_CASES["black"]).max() == 0
    grey = operator(EDGE_CASES["white"])
    assert 0.3 < grey.min() <= grey.max() < 0.7


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "liang"])
def test_one_sun_pixel_does_not_change_the_rest(name: str) -> None:
    operator, with_sun = OPERATORS[name].load(), sun_over_grey()
    without = with_sun.copy()
    without[7, 9] = without[7, 10]
    far = np.ones((60, 80), bool)
    far[:40, :50] = False  # local operators may look at neighbours
    assert np.abs(operator(with_sun)[far] - operator(without)[far]).max() < 0.03
    assert operator(with_sun)[7, 9].min() > 0.99


@pytest.mark.parametrize("name", [name for name, row in OPERATORS.items() if row.scale_invariant])
@pytest.mark.parametrize("factor", [2.0**-9, 3.7, 1e4])
def test_scale_invariance(name: str, factor: float, rng: np.random.Generator) -> None:
    operator, linear = OPERATORS[name].load(), scene(rng)
    assert np.abs(operator(linear) - operator(linear * F32(factor))).max() < 2e-3


def test_liang_is_not_scale_invariant(rng: np.random.Generator) -> None:
    linear = scene(rng)
    assert np.abs(tonemap_array("liang", linear) - tonemap_array("liang", linear * F32(1e-3))).max() > 0.02


def tonemap_array(name: str, linear: np.ndarray) -> np.ndarray:
    return OPERATORS[name].load()(linear)


@pytest.mark.parametrize("name", GLOBAL)
def test_global_operators_never_swap_dark_and_bright(name: str) -> None:
    grey = np.repeat(np.geomspace(1e-4, 1e3, 4000, dtype=F32).reshape(40, 100, 1), 3, axis=2)
    tones = tonemap_array(name, grey)[..., 0].ravel()
    assert np.diff(tones).min() >= -1e-6
    assert tones[-1] > 0.9 and tones[0] < 0.1


# the one curve of mantiuk08 is chosen by contrasts between neighbours
@pytest.mark.parametrize("name", [name for name in GLOBAL if name != "mantiuk08"])
def test_global_operators_do_not_look_at_neighbours(name: str, rng: np.random.Generator) -> None:
    if name == "mantiuk08":
        pytest.skip(
            "its curve depends on contrasts between neighbours, though each pixel gets the same curve"
        )
    linear = scene(rng)
    order = rng.permutation(90 * 120)
    shuffled = linear.reshape(-1, 3)[order].reshape(linear.shape)
    expected = tonemap_array(name, linear).reshape(-1, 3)[order].reshape(linear.shape)
    assert np.abs(tonemap_array(name, shuffled) - expected).max() < 1e-6


@pytest.mark.parametrize("name", RATIO_KEEPING)
def test_hue_is_kept(name: str, rng: np.random.Generator) -> None:
    """Grey stays grey, and the middle channel keeps its place between the other two (in linear light).

    A colour that the display cannot show keeps its hue in Oklab instead, but for what a saturation under 1 turns it.
    """
    linear = scene(rng)
    shown = tonemap_array(name, linear)
    if name != "liang":  # it works on the code values themselves
        shown = srgb_decode(shown.astype(np.float64))
    order = np.argsort(linear, axis=2)
    low, middle, high = np.moveaxis(np.take_along_axis(linear, order, 2).astype(np.float64), 2, 0)
    shown_low, shown_middle, shown_high = np.moveaxis(np.take_along_axis(shown, order, 2), 2, 0)
    clear = (shown_high - shown_low > 0.02) & (high - low > 0.05 * high)
    fitted = (shown_high > 0.97) & (name != "liang")
    angle = np.ptp([hue(shown), hue(linear)], axis=0)[clear & fitted]
    assert np.minimum(angle, 2 * np.pi - angle).max(initial=0) < np.deg2rad(4)
    clear &= ~fitted
    assert clear.mean() > 0.1
    place = (middle - low) / (high - low)
    error = np.abs((shown_middle - shown_low) / np.maximum(shown_high - shown_low, 1e-9) - place)[clear]
    assert error.max() < 5e-3
    grey = np.repeat(linear[..., :1], 3, axis=2)
    assert np.ptp(tonemap_array(name, grey), axis=2).max() < 1e-6


def hue(linear: np.ndarray) -> np.ndarray:
    """Angle in Oklab."""
    lab = from_linear(linear)
    return np.arctan2(lab[..., 2], lab[..., 1])


@pytest.mark.parametrize("contrast", [0.25, 0.5, 1, 2, 4])
def test_contrast_keeps_black_grey_and_white_and_clips_nothing(contrast: float) -> None:
    tones = with_contrast(F32([0, 0.01, 0.18, 0.5, 0.99, 1]), contrast)
    assert tones[[0, 2, 5]] == pytest.approx([0, 0.18, 1], abs=1e-6)
    assert (np.diff(tones) >= 0).all()
    assert (tones[3] - 0.5) * (contrast - 1) >= 0 >= (tones[1] - 0.01) * (contrast - 1)


EXTREMES = [
    (name, one.name, value)
    for name, row in OPERATORS.items()
    for one in fields(row.options)
    if "option" in one.metadata
    for value in one.metadata["option"].bounds
]


@pytest.mark.parametrize(("name", "option", "value"), EXTREMES)
def test_no_value_of_an_option_makes_pictures_that_are_none(name, option, value, rng) -> None:
    """Finite, in range, greys without colour."""
    grey = np.repeat(scene(rng)[..., :1], 3, axis=2)
    with np.errstate(all="raise", under="ignore"):
        shown = tonemap(Image(grey), name, {option: value}).pixels
        colours = tonemap(Image(scene(rng)), name, {option: value}).pixels
    for picture in (shown, colours):
        assert np.isfinite(picture).all() and 0 <= picture.min() <= picture.max() <= 1
    assert np.ptp(shown, axis=2).max() < 1e-5


@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in ("liang", "exposure")])
def test_exposure_moves_along_the_curve(name: str) -> None:
    """A patch is shown as another one, twice as bright, is without the exposure: the curve does not move."""
    row = np.repeat(2.0 ** np.arange(-8, 2), 40).astype(F32)
    steps = np.broadcast_to(row[None, :, None], (160, 400, 3)).copy()
    plain, brighter = (tonemap(Image(steps), name, {"exposure": stops}).pixels for stops in (0, 1))
    middles = np.s_[80, 20::40, 1]
    tolerance = 0.05 if OPERATORS[name].local else 1e-5  # neighbours differ at the two places
    np.testing.assert_allclose(brighter[middles][1:-2], plain[middles][2:-1], atol=tolerance)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    ("option", "less", "more"), [("exposure", -1, 1), ("contrast", 0.6, 1.6), ("saturation", 0.3, 1.5)]
)
def test_common_options_do_what_they_say(name, option, less, more, rng) -> None:
    picture = cv2.GaussianBlur(scene(rng), (0, 0), 3)
    weak, strong = (tonemap(Image(picture), name, {option: value}).pixels for value in (less, more))
    measured = {"exposure": np.mean, "contrast": np.std, "saturation": lambda x: np.ptp(x, axis=2).mean()}[
        option
    ]
    assert measured(strong) > 1.04 * measured(weak)


def test_options_out_of_bounds_and_of_others() -> None:
    image = Image(np.ones((4, 4, 3), F32))
    for bad in (2, 0.1, np.nan, "much"):
        with pytest.raises(RequestError, match=r"`bias=.*`: expected a number from 0\.5 to 0\.99"):
            tonemap(image, "drago", {"bias": bad})
    with pytest.raises(RequestError, match="'reinhard' takes no `bias`; it takes exposure, contrast"):
        tonemap(image, "reinhard", {"bias": 0.9})
    with pytest.raises(RequestError, match="'drago' takes DragoOptions"):
        tonemap(image, "drago", HableOptions())
    with pytest.raises(RequestError, match="expected drago:key=number"):
        tonemap(image, "drago:bias=much")


def test_presets(tmp_path: Path, rng: np.random.Generator) -> None:
    image, file = Image(scene(rng)), tmp_path / "look.toml"
    row, options = parse("drago:bias=0.9,exposure=1")
    file.write_text(preset(row, options))
    assert file.read_text().splitlines()[0] == 'operator = "drago"'
    assert parse(file) == (row, options)
    np.testing.assert_array_equal(
        tonemap(image, file).pixels, tonemap(image, "drago", DragoOptions(bias=0.9, exposure=1)).pixels
    )
    assert parse(str(file))[1] == options  # options given beside it rule
    assert changed(row, options, {"exposure": 0}).exposure == 0
    for text, said in (
        ("bias = 1", "names no operator"),
        ('operator = "drago"\nbias = 3', "bias=3"),
        ('operator = "drag"', "did you mean 'drago'"),
        ('operator = "drago"\nblack = 3', "takes no `black`"),
        ("operator =", "is no TOML"),
    ):
        file.write_text(text)
        with pytest.raises(FileError, match=said):
            parse(file)
    with pytest.raises(FileError, match="cannot be read"):
        parse(tmp_path / "none.toml")


def test_encode_is_the_srgb_curve() -> None:
    from openhdr.color.transfer import srgb_encode
    from openhdr.tonemapping.rendering import encode

    values = (
        np.concatenate([np.linspace(0, 0.01, 5000), np.linspace(0, 1, 5000)]).astype(F32).reshape(100, 100)
    )
    assert np.abs(encode(values) - srgb_encode(values.astype(np.float64))).max() < 1.1e-5


def test_tonemap_keeps_facts_and_gives_the_type_asked_for(rng: np.random.Generator) -> None:
    image = Image(scene(rng), exposure=Exposure(time_s=0.1), metadata={"make": "x"}, notes=("a note.",))
    shown = tonemap(image)
    assert shown.encoding == "srgb" and shown.pixels.dtype == F32
    assert (shown.exposure, dict(shown.metadata), shown.notes) == (
        image.exposure,
        {"make": "x"},
        ("a note.",),
    )
    assert np.array_equal(shown.pixels, tonemap(image, DEFAULT).pixels)
    codes = tonemap(image, dtype="uint8").pixels
    assert codes.dtype == np.uint8
    assert np.abs(codes / 255.0 - shown.pixels).max() <= 0.5 / 255 + 1e-6


def test_tonemap_takes_options() -> None:
    image = Image(np.full((2, 2, 3), 0.25, F32))
    half = tonemap(image, "exposure", ExposureOptions(exposure=1.0)).pixels
    assert half == pytest.approx(0.735357, abs=1e-5)  # sRGB code of 0.5


def test_requests_that_cannot_be_met() -> None:
    linear = Image(np.ones((2, 2, 3), F32))
    with pytest.raises(RequestError, match="did you mean 'drago'"):
        tonemap(linear, "dargo")
    with pytest.raises(RequestError, match="linear float32"):
        tonemap(Image(np.ones((2, 2, 3), np.uint8), "srgb"))
    with pytest.raises(RequestError, match="float32"):
        tonemap(linear, dtype="uint16")  # type: ignore[arg-type]
    for bad in (np.nan, np.inf, -1.0):
        with pytest.raises(RequestError, match="finite"):
            tonemap(Image(np.full((2, 2, 3), bad, F32)))


@pytest.mark.parametrize("name", OPERATORS)
def test_memory_stays_near_the_picture(name: str, rng: np.random.Generator) -> None:
    """Four megapixels: beside the scene, the result (12 bytes a pixel) and at most two planes of floats."""
    linear = cv2.resize(
        rng.lognormal(0, 2, (20, 30, 3)).astype(F32), (2448, 1632), interpolation=cv2.INTER_LINEAR
    )
    tonemap_array(name, linear[:64, :64].copy())  # tables and imports
    tracemalloc.start()
    tonemap_array(name, linear)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < linear.shape[0] * linear.shape[1] * 20 + 60e6


RAMP = np.repeat(np.geomspace(2.0**-9, 2.0**4, 4096, dtype=F32)[None, :, None], 3, axis=2).repeat(32, axis=0)


@pytest.mark.parametrize("name", OPERATORS)
def test_no_combination_of_options_makes_bands_or_colours_of_grey(
    name: str, rng: np.random.Generator
) -> None:
    """Along a smooth grey ramp of 13 stops: finite, in range, grey, no step; never falling where one curve rules."""
    for _ in range(20):
        given = _look(name, rng)
        shown = tonemap(Image(RAMP), name, given).pixels
        assert np.isfinite(shown).all() and 0 <= shown.min() <= shown.max() <= 1, given
        assert np.ptp(shown, axis=2).max() < 1e-5, given
        rise = np.diff(shown[16, 64:-64, 1])
        assert np.abs(rise).max() < 0.03, given  # 0.003 stops, and a curve at most 4 times as hard as sRGB's
        if not OPERATORS[name].local:
            assert rise.min() > -1e-5, given


def _look(name: str, rng: np.random.Generator) -> dict[str, float]:
    """A value within bounds for every option that an operator takes, each at its default half of the time."""
    declared = {
        one.name: one.metadata["option"]
        for one in fields(OPERATORS[name].options)
        if "option" in one.metadata
    }
    if name == "liang":  # stretches what clipping leaves of a picture, however little
        del declared["exposure"]
    return {key: float(rng.uniform(*one.bounds)) for key, one in declared.items() if rng.random() < 0.5}
