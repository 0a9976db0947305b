"""Every metric against the values of its authors' program."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from openhdr.metrics import METRICS, evaluate

# metric -> where its golden value is; all with abs:10000
PLACES = {
    "psnr-l": ("psnr_linear_peak1",),
    "psnr-mu": ("psnr_mu5000_plain",),
    "ntire-psnr": ("ntire_adnet_code", "psnr_nonlinear_normmax"),
    "ntire-psnr-mu": ("ntire_adnet_code", "mu_psnr_p99_tanh"),
    "pu21-psnr": ("pu21_octave", "psnr_rgb_peak256"),
    "pu21-ssim": ("pu21_ssim_y_skimage_L256",),
    "hdr-vdp-2": ("hdrvdp_2_2_2_octave", "abs10000_bt709", "Q"),
    "delta-e-2000": ("ldr_srgb_p99", "ciede2000_skimage_mean"),
    "tm-psnr": ("liang_l1l0_octave", "psnr"),
    "tm-ssim": ("liang_l1l0_octave", "ssim_skimage_gauss_rgbmean"),
}
TOLERANCE = {"hdr-vdp-2": 1e-6, "tm-psnr": 1e-6, "tm-ssim": 1e-9}


def test_golden_values(golden: SimpleNamespace) -> None:
    found = evaluate(golden.test, golden.ref, PLACES, protocol="abs:10000")
    assert list(found) == list(PLACES)
    for name, place in PLACES.items():
        expected = golden.values
        for key in place:
            expected = expected[key]
        if isinstance(expected, str) or expected is None:  # "inf": equal pictures
            assert found[name] == math.inf, name
        else:
            assert found[name] == pytest.approx(expected, abs=TOLERANCE.get(name, 1e-9)), name


def test_golden_value_of_the_liu2020_protocol(golden: SimpleNamespace) -> None:
    expected = golden.values["hdrvdp_2_2_2_octave"]["singlehdr_p3_bt709"]["Q"]
    found = evaluate(golden.test, golden.ref, ["hdr-vdp-2"], protocol="liu2020")
    assert found["hdr-vdp-2"] == pytest.approx(expected, abs=1e-6)


def test_every_metric_but_five_has_a_golden_value() -> None:
    """ssim-mu has an independent implementation in test_parity.py, tmqi in test_tmqi.py; cvvdp is the authors' own
    package; psnr-mu-curve is ours.
    """
    known = {"ssim-mu", "cvvdp", "psnr-mu-curve", "tmqi", "tmqi-naturalness"}
    assert set(METRICS) - set(PLACES) == known
