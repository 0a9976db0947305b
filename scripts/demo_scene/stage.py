"""A stage collects meshes by material; one Mitsuba shape per material keeps rendering fast."""

from __future__ import annotations

from collections import defaultdict

import mitsuba as mi
import numpy as np

from .shapes import Mesh, joined


class Stage:
    def __init__(self) -> None:
        self.parts: dict[str, list[Mesh]] = defaultdict(list)
        self.lights: dict[str, tuple[Mesh, tuple[float, float, float]]] = {}

    def add(self, material: str, *meshes: Mesh) -> None:
        self.parts[material].extend(meshes)

    def add_light(self, name: str, mesh: Mesh, radiance: tuple[float, float, float]) -> None:
        self.lights[name] = (mesh, radiance)

    def add_group(self, group: dict[str, list[Mesh]], turn: float = 0.0, at: tuple = (0.0, 0.0, 0.0)) -> None:
        """Add an object modelled about its own origin: material -> meshes, turned about z, then moved."""
        for material, meshes in group.items():
            self.add(material, *(m.turned(turn).moved(*at) for m in meshes))

    def shapes(self, bsdfs: dict[str, dict]) -> dict[str, mi.Mesh]:
        """Every material's mesh and every light as Mitsuba shapes."""
        made = {f"of_{name}": _to_mitsuba(joined(m), {"bsdf": bsdfs[name]}) for name, m in self.parts.items()}
        for name, (mesh, radiance) in self.lights.items():
            glow = {"type": "area", "radiance": {"type": "rgb", "value": list(radiance)}}
            made[f"light_{name}"] = _to_mitsuba(mesh, {"bsdf": bsdfs["bulb"], "emitter": glow})
        return made


def _to_mitsuba(mesh: Mesh, plugins: dict[str, dict]) -> mi.Mesh:
    props = mi.Properties()
    for name, plugin in plugins.items():
        props[name] = mi.load_dict(plugin)
    shape = mi.Mesh("mesh", len(mesh.points), len(mesh.faces), props, True, True)
    params = mi.traverse(shape)
    params["vertex_positions"] = mesh.points.astype(np.float32).ravel()
    params["vertex_normals"] = mesh.normals.astype(np.float32).ravel()
    params["vertex_texcoords"] = mesh.uv.astype(np.float32).ravel()
    params["faces"] = mesh.faces.astype(np.uint32).ravel()
    params.update()
    return shape
