"""Miniature copies of the field's datasets, put together from their papers' descriptions with OpenCV and tifffile.

Nothing of openhdr writes them, so that its readers are tested against the descriptions.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tifffile

SIZE = (48, 64)  # rows, columns


def light(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) float32 linear light over eight stops, smooth with blocks and two lamps."""
    rng = np.random.default_rng(seed)
    coarse = np.exp2(rng.uniform(-6, 1.2, (size[0] // 8, size[1] // 8, 3)))
    smooth = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).clip(2**-7)
    smooth[4:10, 8:14] = (2.6, 2.2, 1.5)
    smooth[30:34, 40:52] = (1.6, 1.9, 2.4)
    return smooth.astype(np.float32)


def codes(scene: np.ndarray, stops: float, gamma: float, top: int) -> np.ndarray:
    """What a camera of power curve 1 / gamma records: (H, W, 3) whole numbers 0..top."""
    recorded = np.clip(scene * 2.0**stops, 0, 1) ** (1 / gamma)
    return np.rint(recorded * top).astype(np.uint8 if top == 255 else np.uint16)


def write_png(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))


def write_hdr(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1].astype(np.float32)))


def hdm(folder: Path, names: tuple[str, ...], truth: bool = True) -> dict[str, np.ndarray]:
    """The challenge's layout: 8-bit frames at gamma 2.24, 16-bit truth in the gamma domain, EVs, alignratio."""
    scenes = {}
    for number, name in enumerate(names):
        scene = scenes[name] = light(number)
        moved = np.roll(scene, 3, axis=1)  # something moves in the outer frames
        for kind, stops, seen in (("short", -2, moved), ("medium", 0, scene), ("long", 2, moved)):
            write_png(folder / f"{name}_{kind}.png", codes(seen, stops, 2.24, 255))
        np.save(folder / f"{name}_exposures.npy", np.array([-3, -1, 1], np.int64))
        if truth:
            coded = scene.astype(np.float64) ** (1 / 2.24)
            ratio = 65535 / coded.max()
            write_png(folder / f"{name}_gt.png", np.rint(coded * ratio).astype(np.uint16))
            np.save(folder / f"{name}_alignratio.npy", np.float64(ratio))
    return scenes


def kalantari(folder: Path, labels: str = "HDRImg.hdr") -> dict[str, np.ndarray]:
    """Three 16-bit TIFF at gamma 2.2, exposure.txt, the truth as light over exposure time, in Test/PAPER and EXTRA."""
    scenes = {}
    for number, name in enumerate(("EXTRA/001", "PAPER/Barbeque")):
        scene = scenes[name] = light(10 + number) / 4  # on the shortest frame's scale: EV 0 clips at 1
        place = folder / "Test" / name
        place.mkdir(parents=True)
        for frame, stops in enumerate((0, 2, 4)):
            tifffile.imwrite(place / f"26{frame}A1.tif", codes(scene, stops, 2.2, 65535), photometric="rgb")
        (place / "exposure.txt").write_text("0.00\n2.00\n4.00\n")
        write_hdr(place / labels, scene)
    return scenes


def sice(folder: Path) -> None:
    """Seven JPEG exposures a stack, dark to bright, and a fused label; parts 1 and 2."""
    for part, numbers in ((1, (1, 2)), (2, (1, 4))):
        for number in numbers:
            scene = light(20 + 10 * part + number, (64, 96))
            place = folder / f"Dataset_Part{part}" / str(number)
            for k, stops in enumerate((-3, -2, -1, 0, 1, 2, 3), start=1):
                write_png(place / f"{k}.JPG", codes(scene, stops, 2.2, 255))
            write_png(place.parent / "Label" / f"{number}.JPG", codes(scene, 0.5, 2.2, 255))


def hdr_eye(folder: Path) -> None:
    """images/HDR, images/Bracketed_images and images/LDR; the truth has a scale of its own."""
    for number, name in enumerate(("C01", "C02")):
        scene = light(50 + number)
        write_hdr(folder / "images" / "HDR" / f"{name}_HDR.hdr", 37.5 * scene)
        for k in range(9):
            path = folder / "images" / "Bracketed_images" / name / f"{name}_{k + 1}.jpg"
            write_png(path, codes(scene, k / 2 - 2, 2.2, 255))
        write_png(folder / "images" / "LDR" / f"{name}_LDR.jpg", codes(scene, 0, 2.2, 255))


def fairchild(folder: Path) -> None:
    """OpenEXR images and, for each, a folder of its nine photos."""
    import OpenEXR

    for number, name in enumerate(("BarHarbor", "Paul")):
        scene = light(60 + number)
        (folder / name).mkdir(parents=True)
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGB": 12.25 * scene}).write(str(folder / f"{name}.exr"))
        for k in range(9):
            write_png(folder / name / f"{k + 1}.jpg", codes(scene, k / 2 - 2, 2.2, 255))


def brackets(folder: Path) -> np.ndarray:
    """A folder of one's own: PNG photos, ev.txt, gt.exr with 1.0 = the middle photo clips."""
    import OpenEXR

    scene = light(70)
    for k, stops in enumerate((-2, 0, 2)):
        write_png(folder / "kitchen" / f"{k}.png", codes(scene, stops, 2.2, 255))
    (folder / "kitchen" / "ev.txt").write_text("-2 0 2")
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": scene}).write(str(folder / "kitchen" / "gt.exr"))
    return scene
