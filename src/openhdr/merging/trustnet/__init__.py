"""TrustNet, the default merger: physics merges, a small network corrects the ghost masks, another takes out noise.

Frames are compared and merged as the classical merger does it (`ghosts`, `mle`). Between these two steps a network
looks at the comparison at working size (`features`) and corrects the consistency of every frame and the fill
of holes that no frame measured. After them another one, at full size (`refinement`), moves each value within
a few of its standard deviations: it takes noise out of what is noisy, and leaves alone what is well exposed or was not
measured at all. Frames share their weights and are told apart by what they show, so 2 to 9 of them
will do, with any exposures and any reference. Both networks are ONNX files in `weights/`
(`openhdr.models.trustnet` has their layers).
"""
