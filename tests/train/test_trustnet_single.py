"""The network of the expansion of one photo learns from views that are exposed anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from openhdr.core.errors import RequestError
from openhdr.expansion.trustnet_single import CELLS, TrustNetSingleOptions
from openhdr.metrics import evaluate
from openhdr.train.exposed_photo import PIXELS, exposed_photo
from openhdr.train.objectives.contract import Nets
from openhdr.train.objectives.trustnet import TrustNetObjective
from openhdr.train.objectives.trustnet_single import TrustNetSingleObjective
from openhdr.train.recipe import DataConfig
from openhdr.train.sources.views import SHAPES, ViewSource, open_views

from .conftest import TRAINED_ON, panorama

CPU = torch.device("cpu")


@pytest.fixture
def views(scenes: Path, tmp_path: Path) -> ViewSource:
    return open_views(DataConfig(path=str(scenes), patch=48, views=3, clip_share=(0.1, 0.4)), 3, tmp_path)


def test_every_scene_that_is_not_held_out_has_its_views(views: ViewSource) -> None:
    assert views.views.samples == 3 * len(TRAINED_ON)
    shapes = [views.views.mapped(number, "light.npy").shape for number in range(3)]
    assert shapes == [(32, 48, 3), (32, 48, 3), (48, 32, 3)]


def test_a_batch_depends_on_its_number_alone(views: ViewSource, scenes: Path, tmp_path: Path) -> None:
    first, other, again = (views.batch(number, 4, CPU) for number in (8, 12, 8))
    fresh = open_views(views.config, 3, tmp_path).batch(8, 4, CPU)
    for key, value in first.items():
        assert torch.equal(value, again[key]) and torch.equal(value, fresh[key])
    assert not torch.equal(first["truth"], other["truth"])
    assert len(views.batch(40_000, 4, CPU)["seen"]) == 4 and min(views.kept) > 5_000  # old photos are let go


def test_prepared_views_are_taken_as_they_are(views: ViewSource, tmp_path: Path) -> None:
    again = open_views(
        DataConfig(path=str(tmp_path / "views"), patch=48, clip_share=(0.1, 0.4)), 3, tmp_path / "no"
    )
    assert torch.equal(again.batch(0, 2, CPU)["seen"], views.batch(0, 2, CPU)["seen"])
    assert not (tmp_path / "no").exists()


def test_photos_have_their_shapes_and_clip_as_asked(views: ViewSource) -> None:
    for number in (0, 12, 16, 19):
        photo = views.photo(number)
        height, width = (round(48 * share) for share in SHAPES[number])
        assert photo.seen.shape[1] / photo.seen.shape[2] == pytest.approx(height / width, abs=0.1)
        assert max(photo.seen.shape) == CELLS and 0.02 <= photo.share[0] < 0.6
        assert photo.lost.any(1).all() and (np.abs(photo.places) <= 1).all()
        assert photo.bound.min() > 0 and photo.bound.max() <= TrustNetSingleOptions().most_stops


def test_light_of_a_place_is_that_of_the_photo() -> None:
    """A lost channel is at least about as bright as the photo clips; noise and JPEG blur the border."""
    rng = np.random.default_rng(1)
    view = np.log2(panorama(3)).astype(np.float16)
    photo = exposed_photo(view, (48, 96), (0.1, 0.3), rng)
    assert photo is not None and len(photo.truth) == PIXELS
    assert np.quantile(photo.truth[photo.lost], 0.1) > 0.9
    spot = np.full((48, 96, 3), -9, np.float16)
    spot[22:27, 45:50] = 0
    assert exposed_photo(spot, (48, 96), (1e-4, 2e-4), rng) is None


class Given(torch.nn.Module):
    """Says the stops that it was given."""

    def __init__(self, stops: torch.Tensor) -> None:
        super().__init__()
        self.stops = stops

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        return self.stops


def test_loss_is_the_score_of_the_photo() -> None:
    """Of a photo all of which is lost, by the same stops everywhere: minus its PU21-PSNR."""
    objective = TrustNetSingleObjective()
    example = objective.example(objective.stand_in(64), np.random.default_rng(0), False)
    batch = {key: torch.from_numpy(value)[None] for key, value in example.items()}
    batch["truth"] *= 4.0  # two stops, of which the network says one
    batch["bound"] *= 1e4  # as good as none
    terms = objective.net_terms(Nets(Given(torch.ones(1, 3, 32, 32))), batch, 0)
    light = np.ones((8, 8, 3), np.float32)
    score = evaluate(2 * light, 4 * light, ["pu21-psnr"], protocol="abs:100")["pu21-psnr"]
    assert float(terms["decibels"]) == pytest.approx(-score, abs=0.05)
    assert float(terms["tint"]) == 0


def test_channels_that_lie_apart_are_drawn_together_where_all_are_lost() -> None:
    objective = TrustNetSingleObjective(grey_weight=2.0)
    example = objective.example(objective.stand_in(64), np.random.default_rng(0), False)
    batch = {key: torch.from_numpy(value)[None] for key, value in example.items()}
    batch["bound"] *= 1e4
    stops = torch.stack([torch.full((32, 32), one) for one in (1.0, 2.0, 3.0)])[None]
    found = float(objective.net_terms(Nets(Given(stops)), batch, 0)["tint"])
    assert found == pytest.approx(2 * 2 / 3, rel=1e-3)
    batch["lost"][..., 0] = False
    assert float(objective.net_terms(Nets(Given(stops)), batch, 0)["tint"]) == 0


def test_other_objectives_refuse_its_batches(views: ViewSource) -> None:
    with pytest.raises(RequestError, match="that makes batches; choose another"):
        TrustNetObjective().of_batch(views.batch(0, 1, CPU), False)
    with pytest.raises(RequestError, match="has batches, no single samples"):
        views.sample(0)
