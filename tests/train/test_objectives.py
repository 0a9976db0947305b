"""What the objectives compute, against definitions by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from openhdr import models
from openhdr.color.transfer import srgb_encode
from openhdr.core.errors import FileError, RequestError
from openhdr.data.sample import Sample
from openhdr.metrics import evaluate
from openhdr.models.layers.codes import align_exposure
from openhdr.models.layers.exposure_fusion import debevec_fusion
from openhdr.train.examples import collate
from openhdr.train.losses.pu21 import pu21_decibels, pu21_distance
from openhdr.train.objectives.contract import Nets
from openhdr.train.objectives.merge import Merge
from openhdr.train.objectives.perceptual import VGGFeatures, perceptual_distance
from openhdr.train.objectives.stack_itm import StackITMObjective
from openhdr.train.objectives.two_stage import TwoStageObjective, as_photo, cross_entropy


@pytest.fixture
def sample(rng: np.random.Generator) -> Sample:
    frames = tuple(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(3))
    light = rng.uniform(0, 4, (32, 32, 3)).astype(np.float32)
    return Sample("one", frames, (-2.0, 0.0, 3.0), 1, "srgb", light)


class Fixed(nn.Module):
    """A network that always gives the same image."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()
        self.image = nn.Parameter(image)

    def forward(self, frames: torch.Tensor, ev: torch.Tensor) -> torch.Tensor:
        return self.image


@pytest.mark.parametrize("loss", ["mu", "tanh", "mu+tanh", "tanh-of-mu"])
@pytest.mark.parametrize("percentile", ["prediction", "truth", "none"])
def test_losses_of_merging(loss: str, percentile: str, rng: np.random.Generator) -> None:
    """Against NumPy in double precision."""
    ours, truth = rng.uniform(0, 1.5, (2, 2, 3, 8, 8))

    def mapped(image: np.ndarray) -> np.ndarray:
        light = image**2.24
        if percentile != "none":
            of = ours if percentile == "prediction" else truth
            light = np.tanh(light / np.percentile(of**2.24, 99))
        return np.log1p(5000 * light) / np.log(5001)

    a, b = mapped(ours), mapped(truth)
    wanted = {"mu": np.abs(a - b).mean(), "tanh": np.abs(np.tanh(ours) - np.tanh(truth)).mean()}
    wanted["mu+tanh"] = wanted["mu"] + wanted["tanh"]
    wanted["tanh-of-mu"] = np.abs(np.tanh(a) - np.tanh(b)).mean()
    batch = {
        "frames": torch.zeros(2),
        "ev": torch.zeros(2),
        "truth": torch.tensor(truth, dtype=torch.float32),
    }
    terms = Merge(loss=loss, percentile=percentile).net_terms(
        Nets(Fixed(torch.tensor(ours, dtype=torch.float32))), batch, 0
    )
    assert sum(terms.values()).item() == pytest.approx(wanted[loss], rel=1e-5)


@pytest.mark.parametrize("low", [-3.0, 0.0])
def test_logarithm_of_the_squared_difference(low: float, rng: np.random.Generator) -> None:
    """Against the bench's score: minus a tenth of psnr-mu on the shortest frame's scale, clipped there."""
    light, other = rng.uniform(0, 10, (2, 2, 3, 8, 8)) * 2**-low / 8
    top = 2.0**-low
    pair = [
        np.log1p(5000 * np.clip(x / top, 0, upper)) / np.log(5001) for x, upper in ((light, 9), (other, 1))
    ]
    wanted = np.log10(((pair[0] - pair[1]) ** 2).mean((1, 2, 3)) + 1e-5).mean()
    code, truth = (torch.from_numpy(x ** (1 / 2.24)) for x in (light, other))
    batch = {"frames": torch.zeros(2, 3, 3, 8, 8), "ev": torch.tensor([[low, 0.0, 2.0]] * 2), "truth": truth}
    found = Merge(loss="log-mse").net_terms(Nets(Fixed(code)), batch, 0)
    assert found["log-mse"].item() == pytest.approx(wanted, abs=1e-5)


def test_distance_on_a_display_is_the_root_of_the_metrics(rng: np.random.Generator) -> None:
    one, other = rng.uniform(0, 8, (2, 8, 8, 3))
    score = evaluate(one.astype(np.float32), other.astype(np.float32), ["pu21-psnr"], protocol="abs:100")[
        "pu21-psnr"
    ]
    light, truth = (torch.from_numpy(x.transpose(2, 0, 1))[None] for x in (one, other))
    assert pu21_distance(light, truth).item() == pytest.approx((10 ** (-score / 10) + 1e-4) ** 0.5, rel=1e-5)
    wanted = 10 * np.log10(10 ** (-score / 10) + 3e-5)
    assert pu21_decibels(light, truth).item() == pytest.approx(wanted, abs=1e-4)
    black = torch.zeros(1, 3, 4, 4, requires_grad=True)
    pu21_distance(black, torch.zeros(1, 3, 4, 4)).backward()
    assert torch.isfinite(black.grad).all()


def test_disturbed_gamma_aligns_as_another_gamma_would(sample: Sample, rng: np.random.Generator) -> None:
    objective = Merge(gamma_share=1.0)
    plain = Merge().example(sample, np.random.default_rng(4), False)
    other = objective.example(sample, np.random.default_rng(4), False)
    draws = np.random.default_rng(4)
    draws.random()
    gamma = 2.24 + 0.1 * draws.uniform(-1, 1)
    frames, ev = (torch.from_numpy(plain[name])[None] for name in ("frames", "ev"))
    aligned = align_exposure(frames, torch.from_numpy(other["ev"])[None])
    wanted = (frames.double() ** gamma * torch.exp2(-ev.double())[..., None, None, None]) ** (1 / gamma)
    torch.testing.assert_close(aligned.double(), wanted, rtol=1e-5, atol=1e-6)
    assert np.array_equal(other["truth"], plain["truth"])


def test_gamma_is_disturbed_as_often_as_asked(sample: Sample) -> None:
    objective, plain = Merge(gamma_share=0.3), np.array(sample.ev)
    draws = [objective.example(sample, np.random.default_rng(k), False)["ev"] for k in range(300)]
    assert 0.2 < np.mean([not np.array_equal(ev, plain) for ev in draws]) < 0.4


def test_bounded_network_learns_on_the_shortest_frames_scale(sample: Sample) -> None:
    """1.0 = the shortest frame clips: light a quarter as large, EVs from 0 on."""
    example = Merge().example(sample, np.random.default_rng(0), True)
    assert example["ev"].tolist() == [0, 2, 5]
    np.testing.assert_allclose(example["truth"] ** 2.24, sample.truth.transpose(2, 0, 1) / 4, rtol=1e-5)


def test_sample_without_truth_is_refused(sample: Sample) -> None:
    with pytest.raises(RequestError, match="not three frames with their truth"):
        Merge().example(replace(sample, truth=None), np.random.default_rng(0), False)


def two_stage_parts(sample: Sample, objective: TwoStageObjective) -> tuple[Nets, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    net, discriminator = models.load("two-stage").train(), objective.discriminator()
    return Nets(net, discriminator), collate([objective.example(sample, np.random.default_rng(0), False)] * 2)


def test_stage_two_sends_no_gradient_to_stage_one(sample: Sample) -> None:
    nets, batch = two_stage_parts(sample, TwoStageObjective())
    terms = TwoStageObjective().net_terms(nets, batch, 0)
    sum(value for name, value in terms.items() if name.startswith("stage2")).backward()
    assert all(parameter.grad is None for parameter in nets.net.stage1.parameters())
    assert all(parameter.grad is not None for parameter in nets.net.stage2.parameters())


def test_joint_stages_learn_together(sample: Sample) -> None:
    objective = TwoStageObjective(joint=True, adversarial_weight=0, similarity_weight=0, light_weight=2.0)
    net = models.load("two-stage")
    batch = collate([objective.example(sample, np.random.default_rng(0), False)])
    terms = objective.net_terms(Nets(net), batch, 0)
    assert set(terms) == {"stage1_l1", "stage2_l1", "stage2_colour", "light"}
    light = net(batch["photo"]) ** 2.24
    assert terms["light"].item() == pytest.approx(
        2 * pu21_distance(light, batch["truth"] ** 2.24).item(), rel=1e-5
    )
    terms["light"].backward()
    assert net.stage1.input.weight.grad.abs().sum() > 0


def test_colour_loss_has_a_gradient_and_can_be_left_out(sample: Sample) -> None:
    nets, batch = two_stage_parts(sample, TwoStageObjective())
    colour = TwoStageObjective().net_terms(nets, batch, 0)["stage2_colour"]
    colour.backward()
    assert any(parameter.grad.abs().sum() > 0 for parameter in nets.net.stage2.parameters())
    assert "stage2_colour" not in TwoStageObjective(colour="none").net_terms(nets, batch, 0)


def test_two_stage_targets_and_labels(sample: Sample) -> None:
    drawn = [TwoStageObjective().example(sample, np.random.default_rng(k), False) for k in range(60)]
    real, made = (np.array([example[name][0] for example in drawn]) for name in ("real", "made"))
    assert 0.7 <= real.min() < 0.75 and real.max() == 1 and (real == 1).mean() > 0.2
    assert made.min() >= 0 and 0.25 < made.max() <= 0.3
    photo = as_photo(torch.tensor([[0.0, 0.3, 1.0, 3.0]]))
    assert photo.tolist()[0] == pytest.approx([0, 77 / 255 - 1 / 255, 1, 1], abs=1e-6)


def test_any_exposure_scales_the_truth(sample: Sample) -> None:
    objective = TwoStageObjective(photo="any")
    examples = [objective.example(sample, np.random.default_rng(k), False) for k in range(20)]
    ratios = {
        round(float(np.median(e["truth"] ** 2.24 / sample.truth.transpose(2, 0, 1))), 3) for e in examples
    }
    assert ratios == {0.25, 1.0, 8.0}


def test_cross_entropy_is_pytorchs(rng: np.random.Generator) -> None:
    probability, label = torch.tensor(rng.uniform(0.01, 0.99, (2, 5, 1)))
    torch.testing.assert_close(
        cross_entropy(probability, label), nn.functional.binary_cross_entropy(probability, label)
    )


def test_phases_of_stack_itm(sample: Sample) -> None:
    """Terms that have not come in yet are zero, and so are their gradients."""
    objective = StackITMObjective(adversarial_from=5, fusion_from=7)
    torch.manual_seed(0)
    nets = Nets(models.load("stack-itm").train(), objective.discriminator())
    batch = collate([objective.example(sample, np.random.default_rng(0), False)])
    shown = {}
    for step in (4, 5, 7):
        terms = objective.net_terms(nets, batch, step)
        shown[step] = [float(terms[name].detach()) > 0 for name in ("up", "down", "adversarial", "fusion")]
    assert shown == {4: [True] * 2 + [False] * 2, 5: [True] * 3 + [False], 7: [True] * 4}
    assert objective.discriminator_terms(nets, batch, 4)["discriminator"].item() == 0
    assert objective.discriminator_terms(nets, batch, 5)["discriminator"].item() > 0


def test_labels_of_a_bracket_are_exposures_of_its_truth(sample: Sample) -> None:
    example = StackITMObjective().example(sample, np.random.default_rng(0), False)
    up, down = example["up"], example["down"]
    assert up.mean() > example["photo"].mean() > 0 and up.mean() > down.mean()
    np.testing.assert_allclose(example["light"], sample.truth.transpose(2, 0, 1))


def test_labels_at_a_fixed_distance(sample: Sample) -> None:
    example = StackITMObjective(label_stops=3).example(sample, np.random.default_rng(0), False)
    light = sample.truth.transpose(2, 0, 1)
    for side, stops in (("up", 3), ("down", -3)):
        code = srgb_encode(np.clip(light * 2.0**stops, 0, 1))
        assert np.abs(example[side] - code).max() <= 0.5 / 255 + 1e-6


def test_labels_of_a_stack_give_the_fusions_truth(sample: Sample) -> None:
    """Without HDR truth (SICE-S) the labels are merged; where all three are well exposed that is the photo."""
    grey = np.full((32, 32, 3), 128, np.uint8)
    stack = Sample("s", (grey,), (0.0,), 0, "srgb", None, {"up": grey, "down": grey, "label": grey})
    light = StackITMObjective().truth(stack)
    np.testing.assert_allclose(light, ((128 / 255 + 0.055) / 1.055) ** 2.4, rtol=1e-4)


@pytest.fixture
def vgg(tmp_path: Path) -> Path:
    """Weights of VGG16's shape under the names in which they are commonly stored."""
    torch.manual_seed(0)
    numbers = iter((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))
    state = {}
    for level in VGGFeatures().levels:
        for conv in level:
            number = next(numbers)
            state |= {
                f"features.{number}.weight": conv.weight.detach(),
                f"features.{number}.bias": conv.bias.detach(),
            }
    save_file(state, tmp_path / "vgg.safetensors")
    return tmp_path / "vgg.safetensors"


def test_perceptual_term_from_a_local_file(vgg: Path) -> None:
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    assert float(perceptual_distance(str(vgg), image, image.detach()).detach()) == 0
    distance = perceptual_distance(str(vgg), image, torch.rand(1, 3, 32, 32))
    distance.backward()
    assert float(distance.detach()) > 0 and image.grad.abs().sum() > 0
    assert float(perceptual_distance(str(vgg), image[..., :4, :4], image[..., :4, :4]).detach()) == 0


def test_perceptual_weights_must_be_there_and_fit(vgg: Path, tmp_path: Path) -> None:
    image = torch.rand(1, 3, 32, 32)
    with pytest.raises(FileError, match="no such file"):
        perceptual_distance(str(tmp_path / "missing.pth"), image, image)
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(FileError, match=r"has no 'features\.0\.bias'"):
        perceptual_distance(str(tmp_path / "other.safetensors"), image, image)


def test_plain_differences(rng: np.random.Generator) -> None:
    ours, truth = rng.uniform(0, 1.5, (2, 2, 3, 8, 8)).astype(np.float32)
    batch = {"frames": torch.zeros(2, 3, 3, 8, 8), "ev": torch.zeros(2, 3), "truth": torch.from_numpy(truth)}
    nets = Nets(Fixed(torch.from_numpy(ours)))
    l1, l2 = (Merge(loss=name).net_terms(nets, batch, 0)[name].item() for name in ("l1", "l2"))
    assert l1 == pytest.approx(np.abs(ours - truth).mean())
    assert l2 == pytest.approx(((ours - truth) ** 2).mean())


def test_a_disturbed_gamma_moves_the_outer_frames_of_a_bounded_network_too(sample: Sample) -> None:
    """AHDRNet's 1.0 is where the shortest frame clips; the reference stays where it is, as with ADNet."""
    steady = Merge().example(sample, np.random.default_rng(5), True)["ev"]
    moved = Merge(gamma_share=1.0).example(sample, np.random.default_rng(5), True)["ev"]
    free = Merge(gamma_share=1.0).example(sample, np.random.default_rng(5), False)["ev"]
    assert moved[1] == steady[1] == 2 and moved[0] != 0 and moved[2] != steady[2]
    assert moved - moved[1] == pytest.approx(free, abs=1e-6)  # the same gamma for both kinds of network


def test_without_progressive_loss_the_finest_scale_alone_counts(rng: np.random.Generator) -> None:
    net = models.load("stack-itm")
    batch = {key: torch.rand(1, 3, 32, 32) for key in ("photo", "up", "down", "light")}
    objective = StackITMObjective(progressive=False, adversarial_weight=0)
    with torch.no_grad():
        terms = objective.net_terms(Nets(net), batch, 0)
        finest = net(batch["photo"], return_parts=True)["progressive_up"][-1]
        every = StackITMObjective(adversarial_weight=0).net_terms(Nets(net), batch, 0)
    assert float(terms["up"]) == pytest.approx(float((finest - batch["up"]).abs().mean()), rel=1e-5)
    assert float(every["up"]) > float(terms["up"])


def test_light_of_the_fusion_and_of_a_merge_without_learning_are_judged_alike() -> None:
    net = models.load("stack-itm").eval()
    batch = {key: torch.rand(2, 3, 32, 32) for key in ("photo", "up", "down", "light")}
    objective = StackITMObjective(
        adversarial_weight=0, light_weight=2.0, light_distance="decibels", merged_weight=0.5
    )
    terms = objective.net_terms(Nets(net), batch, 0)
    parts = net(batch["photo"], return_parts=True)
    merged = debevec_fusion(parts["exposure_up"], batch["photo"], parts["exposure_down"])["out"]
    for name, weight, light in (("light", 2.0, parts["out"]), ("merged", 0.5, merged)):
        wanted = weight * pu21_decibels(light, batch["light"]).item()
        assert terms[name].item() == pytest.approx(wanted, rel=1e-4)
    terms["merged"].backward()
    assert net.decode_down.images[-1].weight.grad.abs().sum() > 0
