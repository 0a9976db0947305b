"""The stages of HDR-VDP 2.2: constants, eye, pyramid, contrast, pooling. `metrics/hdr_vdp_2.py` runs them."""
