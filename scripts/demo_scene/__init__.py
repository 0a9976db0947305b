"""The parts of the demo scene: shapes, textures, materials, room, garden, camera and photo."""
