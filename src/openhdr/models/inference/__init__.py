"""Running networks on photos of any size, here or elsewhere. The networks themselves do not depend on it.

run_options           its options; importable without torch
three_frames          a bracket -> HDR, part by part within a bound of memory
selection             which three frames of a longer bracket
one_photo, expanded   a photo -> HDR; what comes out
tiling, device        steps of a network tile by tile, in threads; where it runs, and how exactly
export, interfaces    ONNX files, checked against PyTorch; what goes into them and comes out
maps                  what a network looks at, as pictures
"""
