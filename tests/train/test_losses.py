"""Losses with gradients: golden values of the papers' programs, gradients against differences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

torch = pytest.importorskip("torch", reason="needs the torch extra")

from openhdr.train.losses.ciede2000 import ciede2000, delta_e_2000, lab_from_srgb  # noqa: E402
from openhdr.train.losses.l1 import light_percentile, mu_law_l1, tanh_l1, tone_mapped  # noqa: E402
from openhdr.train.losses.ms_ssim import ms_ssim, ssim, two_stage_ms_ssim  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Pictures this small take longer with threads that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def fixture(shared: Path) -> SimpleNamespace:
    folder = shared / "fixtures" / "ntire_metrics"
    with np.load(folder / "inputs.npz") as stored:
        tensors = {key: torch.from_numpy(stored[key]) for key in stored}
    return SimpleNamespace(**tensors, expected=json.loads((folder / "expected.json").read_text()))


def test_golden_values(fixture: SimpleNamespace) -> None:
    expected = fixture.expected
    pred, truth = fixture.pred_hwc, fixture.gt_hwc
    assert mu_law_l1(pred, truth).item() == pytest.approx(expected["mu_loss_pred_gt"], rel=1e-6)
    assert tanh_l1(pred, truth).item() == pytest.approx(expected["tanh_l1"], rel=1e-6)
    a, b = fixture.a.double(), fixture.b.double()
    assert two_stage_ms_ssim(a, b).item() == pytest.approx(expected["msssim_a_b"], abs=2e-6)
    assert ssim(a, b).item() == pytest.approx(expected["ssim_a_b"], abs=2e-6)
    first = delta_e_2000(a[:1], b[:1]).item() / 255  # the golden value is of the first picture
    assert first == pytest.approx(expected["deltaE2000_mean_correct_HWC_over255"], rel=1e-5)


def test_tone_mapping_gives_the_challenge_s_score(fixture: SimpleNamespace) -> None:
    for of, key in (("gt_hwc", "psnr_mu_ref_is_gt"), ("pred_hwc", "psnr_mu_ref_is_pred_ADNet_validation")):
        level = light_percentile(getattr(fixture, of))
        gap = tone_mapped(fixture.pred_hwc, level) - tone_mapped(fixture.gt_hwc, level)
        assert -10 * torch.log10((gap**2).mean()).item() == pytest.approx(fixture.expected[key], abs=1e-4)


@pytest.mark.parametrize("golden", ["p01_synth_gain", "p10_kiara_singleshot"], indirect=True)
def test_standard_ms_ssim(golden: SimpleNamespace) -> None:
    """pytorch-msssim on the sRGB pictures clipped at the reference's 99th percentile."""
    from openhdr.color.transfer import srgb_encode

    level = np.percentile(golden.ref.astype(np.float64), 99)
    test, ref = (
        torch.from_numpy(srgb_encode(np.clip(x.astype(np.float64) / level, 0, 1))).permute(2, 0, 1)[None]
        for x in (golden.test, golden.ref)
    )
    stored = golden.values["ldr_srgb_p99"]
    assert ms_ssim(test, ref).item() == pytest.approx(stored["msssim_pytorch_msssim"], abs=2e-5)
    found = two_stage_ms_ssim(test, ref).item()
    assert found == pytest.approx(stored["twostage_authors_msssim_normalize_true"], abs=2e-5)


def test_small_pictures_shrink_the_window() -> None:
    x = torch.rand(1, 3, 128, 128, generator=torch.manual_seed(0))
    assert two_stage_ms_ssim(x, x).item() == pytest.approx(1, abs=1e-5)
    assert torch.isfinite(two_stage_ms_ssim(x, 1 - x))


def test_plain_mu_law() -> None:
    x, y = torch.tensor([0.2, 0.7]).double(), torch.tensor([0.3, 0.5]).double()
    mapped = [np.log1p(5000 * v.numpy() ** 2.24) / np.log(5001) for v in (x, y)]
    assert mu_law_l1(x, y, "none").item() == pytest.approx(np.abs(mapped[0] - mapped[1]).mean())


@pytest.mark.parametrize("of", ["prediction", "truth"])
def test_percentile_is_numpy_s_and_has_no_gradient(of: str) -> None:
    x, y = torch.rand(2, 3, 17, 19, generator=torch.manual_seed(1), dtype=torch.float64).unbind()
    level = light_percentile(x if of == "prediction" else y)
    assert level.item() == pytest.approx(np.percentile((x if of == "prediction" else y).numpy() ** 2.24, 99))
    assert not level.requires_grad
    expected = (tone_mapped(x, level) - tone_mapped(y, level)).abs().mean()
    assert mu_law_l1(x, y, of).item() == expected.item()


def test_black_and_negative_predictions_have_finite_gradients() -> None:
    truth = torch.rand(1, 3, 8, 8, generator=torch.manual_seed(2))
    for fill in (0.0, -0.1):
        x = torch.full_like(truth, fill, requires_grad=True)
        for of in ("prediction", "truth", "none"):
            (gradient,) = torch.autograd.grad(tanh_l1(x, truth) + mu_law_l1(x, truth, of), x)
            assert torch.isfinite(gradient).all()


def _pictures(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.manual_seed(3)
    x, y = (0.1 + 0.8 * torch.rand(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    return x.requires_grad_(), y


@pytest.mark.parametrize(
    "loss",
    [lambda x, y: mu_law_l1(x, y, "truth"), lambda x, y: mu_law_l1(x, y, "none"), tanh_l1, delta_e_2000],
    ids=["mu-truth", "mu-none", "tanh", "delta-e"],
)
def test_gradients(loss) -> None:
    x, y = _pictures((2, 3, 3, 4))
    assert torch.autograd.gradcheck(lambda x: loss(x, y), (x,))


@pytest.mark.parametrize("similarity", [ms_ssim, two_stage_ms_ssim])
def test_gradients_of_ms_ssim(similarity) -> None:
    x, noise = _pictures((1, 1, 16, 16))
    y = (x.detach() + 0.05 * noise).clamp(0, 1)
    assert torch.autograd.gradcheck(lambda x: similarity(x, y), (x,), fast_mode=True)


def test_ciede2000_is_scikit_image_s() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.uniform(0, 1, (2, 4000, 3))
    first[:800], second[400:1200] = first[:800, :1], second[400:1200, :1]  # greys on either side and on both
    tensors = [torch.from_numpy(rgb.T.reshape(1, 3, 40, 100)) for rgb in (first, second)]
    found = ciede2000(*(lab_from_srgb(tensor) for tensor in tensors)).flatten().numpy()
    expected = deltaE_ciede2000(rgb2lab(first), rgb2lab(second))
    assert np.abs(found - expected).max() < 2e-3  # where hues are nearly opposite
    assert np.median(np.abs(found - expected)) < 1e-6


def test_ciede2000_gradient_at_zero_chroma() -> None:
    """Greys against greys and against colours: finite, and right where the formula is smooth."""
    grey = torch.tensor([[50.0, 0, 0], [20, 0, 0], [0, 0, 0], [100, 0, 0]], dtype=torch.float64)
    other = torch.tensor([[40.0, 0, 0], [20, 30, -25], [50, 1e-7, 0], [100, 0, 0]], dtype=torch.float64)
    for first, second in ((grey, other), (other, grey), (grey, grey)):
        x = first.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(ciede2000(x, second).sum(), x)
        assert torch.isfinite(gradient).all()
    light = grey[:1].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: ciede2000(x, other[:1]), (light,), eps=1e-7, atol=1e-3)


def test_ciede2000_gradient_of_black_white_and_equal_pictures() -> None:
    for fill in (0.0, 0.5, 1.0):
        for dtype in (torch.float32, torch.float64):
            x = torch.full((1, 3, 4, 4), fill, dtype=dtype, requires_grad=True)
            for y in (torch.zeros_like(x), torch.ones_like(x), x.detach().clone()):
                (gradient,) = torch.autograd.grad(delta_e_2000(x, y), x)
                assert torch.isfinite(gradient).all()


def test_training_on_ciede2000_finds_the_truth() -> None:
    truth = torch.rand(1, 3, 6, 6, generator=torch.manual_seed(5))
    x = torch.full_like(truth, 0.5, requires_grad=True)
    optimiser = torch.optim.Adam([x], lr=0.02)
    for _ in range(300):
        optimiser.zero_grad()
        delta_e_2000(x, truth).backward()
        optimiser.step()
    assert delta_e_2000(x, truth).item() < 2
