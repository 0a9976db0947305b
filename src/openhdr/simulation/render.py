"""Taking the images of a plan: frames, truth and masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from openhdr.simulation import detail, lens, objects, sensor
from openhdr.simulation.plan import FramePlan, ScenePlan
from openhdr.simulation.processing import develop
from openhdr.simulation.scene import Scene, ViewOf, find_scene
from openhdr.simulation.shake import map_points

_BLOCK = 65536  # pixels rendered at a time: keeps memory small and data in the cache
_VISIBLE = 0.02  # an object covers a pixel from this alpha on
_BLUR_STEP_PX = 1.5  # longest step between two instants of an open shutter
_BLUR_MOST = 15  # instants of an open shutter at most


@dataclass(frozen=True)
class Simulated:
    """A bracket with its truth. N frames, shortest exposure first.

    frames: N x (H, W, 3) uint8, or uint16 for 10 and 12 bits; sensor codes (H, W) uint16 where the plan has a sensor.
    truth: (H, W, 3) float32 linear light of the reference's view, 1.0 = the reference clips: what reaches its
        sensor with an instant shutter, before noise, clipping and all processing.
    moved: (N, H, W) bool, reference geometry: the frame's content differs from the reference's, because
        something moved.
    hidden: (N, H, W) bool, reference geometry: the frame does not see this part of the still scene, because a
        moved object is in front or the place is outside its image.
    clipped: (N, H, W) bool, each in its frame's own geometry: some channel is at its highest code.
    """

    plan: ScenePlan
    frames: tuple[np.ndarray, ...]
    truth: np.ndarray
    moved: np.ndarray
    hidden: np.ndarray
    clipped: np.ndarray


def render(plan: ScenePlan, scenes: Sequence[Scene]) -> Simulated:
    """Take the images and draw the masks. `scenes` holds every scene that the plan names."""
    stage = _Stage(plan, scenes)
    frames = stage.frames()
    top = plan.camera.sensor.white if plan.camera.sensor else np.iinfo(frames[0].dtype).max
    moved, hidden = stage.masks()
    return Simulated(
        plan=plan,
        frames=frames,
        truth=stage.truth(),
        moved=moved,
        hidden=hidden,
        clipped=np.stack([(frame == top).reshape(*frame.shape[:2], -1).any(axis=2) for frame in frames]),
    )


def photograph(plan: ScenePlan, scenes: Sequence[Scene]) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """`frames` and `truth` of `Simulated` alone: all that training needs."""
    stage = _Stage(plan, scenes)
    return stage.frames(), stage.truth()


class _Stage:
    """The scene, its objects and the camera of one plan."""

    def __init__(self, plan: ScenePlan, scenes: Sequence[Scene]) -> None:
        self.plan = plan
        self.size = plan.size
        centre = ((self.size[0] - 1) / 2, (self.size[1] - 1) / 2)
        self.scene = find_scene(scenes, plan.scene)
        self.view = self.scene.view(plan.view, plan.focal_px, centre)
        self.surfaces: list[ViewOf] = [
            find_scene(scenes, thing.surface_scene).view(
                thing.surface_pose, thing.surface_focal_px, (0.0, 0.0)
            )
            for thing in plan.objects
        ]

    def blocks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Pixel coordinates of a frame, a few rows at a time: (rows, x, y)."""
        width, height = self.size
        rows = max(1, _BLOCK // width)
        for top in range(0, height, rows):
            part = slice(top, min(top + rows, height))
            y, x = np.mgrid[part, 0:width].astype(np.float64)
            yield part, x.ravel(), y.ravel()

    def radiance(self, index: int, u: np.ndarray, v: np.ndarray, later: float = 0.0) -> np.ndarray:
        """(3, N) scene radiance at reference pixels u, v, `later` frame intervals after frame `index`."""
        found = self.view.at(u, v)
        if self.plan.detail:
            found *= detail.gain(self.view, self.scene.texture, self.plan.detail, u, v)
        for thing, surface in zip(self.plan.objects, self.surfaces, strict=True):
            pose = thing.poses[index]
            x, y = pose.x_px + thing.velocity_px[0] * later, pose.y_px + thing.velocity_px[1] * later
            found = objects.cover(found, thing, replace(pose, x_px=x, y_px=y), surface, (u, v))
        return found

    def covered(self, index: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """(N,) bool: some object is there in frame `index`."""
        found = np.zeros(u.shape, bool)
        for thing in self.plan.objects:
            found |= objects.coverage(thing, thing.poses[index], u, v) > _VISIBLE
        return found

    def gains(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(3, N) from scene radiance to light in units where the reference clips at 1, at frame pixels."""
        camera = self.plan.camera
        lens = sensor.shading(x, y, self.size, camera.vignetting) / self.plan.anchor
        return np.array(camera.cast)[:, None] * lens

    def frames(self) -> tuple[np.ndarray, ...]:
        """All photos, (H, W, 3) uint8 or uint16 each."""
        return tuple(self.photo(index) for index in range(len(self.plan.frames)))

    def photo(self, index: int) -> np.ndarray:
        """One photo."""
        frame, camera = self.plan.frames[index], self.plan.camera
        rng = np.random.default_rng(frame.noise_seed)
        exposure = np.array(frame.drift)[:, None] * 2.0 ** (frame.ev + frame.ev_error)
        if camera.processing:
            light = self._picture(lambda x, y: self._seen(index, frame, x, y), exposure)
            pixels = develop(light, camera.processing, camera.response, camera.noise, rng)
            return sensor.compress(pixels, camera.jpeg_quality, camera.processing.subsampling)
        parts = []
        for _, x, y in self.blocks():
            light = self._seen(index, frame, x, y) * self.gains(x, y) * exposure
            codes = (
                sensor.record(light, x, y, camera, rng)
                if camera.sensor
                else sensor.expose(light, camera, rng)
            )
            parts.append(codes)
        width, height = self.size
        if camera.sensor:
            return np.concatenate(parts).reshape(height, width)
        pixels = np.ascontiguousarray(np.concatenate(parts, axis=1).T.reshape(height, width, 3))
        return sensor.compress(pixels, camera.jpeg_quality) if camera.jpeg_quality else pixels

    def _picture(self, radiance: Callable[..., np.ndarray], exposure: np.ndarray) -> np.ndarray:
        """(H, W, 3) float32 light behind the lens; radiance: frame pixels x, y -> (3, N)."""
        width, height = self.size
        out = np.empty((height, width, 3), np.float32)
        for rows, x, y in self.blocks():
            light = radiance(x, y) * self.gains(x, y) * exposure
            out[rows] = light.T.reshape(-1, width, 3)
        processing = self.plan.camera.processing
        return lens.through(out, processing.lens) if processing else out

    def _seen(self, index: int, frame: FramePlan, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(3, N) radiance at frame pixels x, y, averaged over the time that the shutter is open."""
        instants = _instants(frame, self.plan.objects)
        total = np.zeros((3, x.size))
        for later in instants:
            shake = replace(
                frame.shake,
                turn_x_px=frame.shake.turn_x_px + frame.sweep_px[0] * later,
                turn_y_px=frame.shake.turn_y_px + frame.sweep_px[1] * later,
            )
            u, v = map_points(shake.homography(self.size, self.plan.focal_px), x, y)
            total += self.radiance(index, u, v, later)
        return total / len(instants)

    def truth(self) -> np.ndarray:
        """(H, W, 3) float32, see `Simulated`."""
        return self._picture(partial(self.radiance, self.plan.reference), np.ones((3, 1)))

    def masks(self) -> tuple[np.ndarray, np.ndarray]:
        """`moved` and `hidden` of `Simulated`."""
        width, height = self.size
        count = len(self.plan.frames)
        moved = np.zeros((count, height, width), bool)
        hidden = np.zeros((count, height, width), bool)
        inverse = [np.linalg.inv(f.shake.homography(self.size, self.plan.focal_px)) for f in self.plan.frames]
        for rows, x, y in self.blocks():
            reference = self.covered(self.plan.reference, x, y)
            for index in range(count):
                if index != self.plan.reference:
                    front = self.covered(index, x, y)
                    moved[index, rows] = (front | reference).reshape(-1, width)
                    hidden[index, rows] = front.reshape(-1, width)
                u, v = map_points(inverse[index], x, y)
                outside = (u < -0.5) | (u > width - 0.5) | (v < -0.5) | (v > height - 0.5)
                hidden[index, rows] |= outside.reshape(-1, width)
        return moved, hidden


def _instants(frame: FramePlan, things: Sequence[objects.MovingObject]) -> list[float]:
    """Times within the open shutter at which to look, in frame intervals after its middle."""
    speeds = [frame.sweep_px, *(thing.velocity_px for thing in things)]
    longest = max(float(np.hypot(*speed)) for speed in speeds) * frame.open_share
    count = int(np.clip(np.ceil(longest / _BLUR_STEP_PX), 1, _BLUR_MOST))
    return [frame.open_share * ((k + 0.5) / count - 0.5) for k in range(count)]
