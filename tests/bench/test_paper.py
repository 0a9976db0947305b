"""The papers' tables: nothing printed is lost, every row has a way or a reason, our cells are what is computed."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from openhdr.bench import DATASET_CASES
from openhdr.bench.paper import FACTS, PAPERS, Given, fill, load_paper
from openhdr.cli.bench import bench
from openhdr.core.errors import RequestError
from openhdr.data.readers import DATASETS
from openhdr.metrics import METRICS
from openhdr.models import MODELS

sys.path.insert(0, str(Path(__file__).parent))
import independent
import miniatures

torch = pytest.importorskip("torch", reason="networks need the torch extra")
ROOT = Path(__file__).resolve().parents[2]
ROWS = [(name, table, row) for name in PAPERS for table in load_paper(name).tables for row in table.rows]
COUNTS = {"adnet": (8, 3), "gsanet": (21, 5), "eapnet": (34, 6), "two-stage": (7, 3), "stack-itm": (34, 5)}


@pytest.mark.parametrize("name", PAPERS)
def test_every_table_and_row_is_there(name: str) -> None:
    tables = load_paper(name).tables
    assert (sum(len(table.rows) for table in tables), len(tables)) == COUNTS[name]
    assert all(table.rows or table.why for table in tables)


@pytest.mark.parametrize(("name", "table", "row"), ROWS, ids=lambda one: getattr(one, "name", str(one))[:24])
def test_every_row_has_a_command_or_a_reason(name: str, table, row) -> None:
    assert len(row.printed) == len(table.columns)
    assert set(table.columns) <= {*METRICS, *FACTS}
    dataset = DATASETS[DATASET_CASES[table.case].dataset]
    assert table.split is None or table.split in dataset.splits
    assert bool(row.method) + row.program + bool(row.why) == 1
    assert not row.method or row.method in MODELS
    assert len({one.name for one in table.rows}) == len(table.rows)


@pytest.mark.parametrize("train", sorted({row.train for _, _, row in ROWS if row.train}))
def test_the_training_of_a_row_is_a_recipe_that_loads(train: str) -> None:
    from openhdr.models import load
    from openhdr.train.recipe import load_recipe

    recipe, *words = shlex.split(train)
    assert words[::2] == ["--set"] * (len(words) // 2)
    made = load_recipe(ROOT / recipe, words[1::2])
    with torch.device("meta"):
        load(made.network.name, **made.network.variant)


@pytest.mark.parametrize("name", PAPERS)
def test_what_is_printed_stands_in_the_paper(name: str, shared: Path) -> None:
    text = (shared / "papers" / f"{name.replace('-', '_')}.txt").read_text()
    numbers = set(re.findall(r"\d+(?:\.\d+)?", text))
    missing = [
        (table.number, row.name, cell)
        for table in load_paper(name).tables
        for row in table.rows
        for cell in row.printed
        if cell and cell not in numbers
    ]
    assert missing == []


def test_cells_are_what_an_independent_script_finds(tmp_path: Path) -> None:
    """ADNet's table 2 on two scenes: two stand-ins of random weights, with and without augmentation."""
    from openhdr import models
    from openhdr.models import checkpoints

    miniatures.hdm(tmp_path / "hdm", ("0000", "0007", "0022"))
    torch.manual_seed(3)
    net = models.load("ahdrnet", features=8, growth=4, dense_layers=1)
    file = tmp_path / "ours.safetensors"
    checkpoints.save(net, "ahdrnet", file)
    words = [
        "paper",
        "adnet",
        "--data",
        str(tmp_path / "hdm"),
        "--json",
        "--table",
        "2",
        "-o",
        str(tmp_path / "out"),
    ]
    rows = ("AHDRNet w/o TTA", "AHDRNet w/ TTA")
    given = [word for row in rows for word in ("--weights", f"{row}={file}")]
    table = load_paper("adnet").tables[1]
    found = fill(table, Given(tmp_path / "hdm", {row: str(file) for row in rows}, scenes=("0007", "0022")))
    expected = {row: [] for row in rows}
    for name in ("0007", "0022"):
        frames = [
            independent.read_png(tmp_path / "hdm" / f"{name}_{kind}.png") / 255
            for kind in ("short", "medium", "long")
        ]
        images = torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2)[None].astype(np.float32))
        truth = independent.read_png(tmp_path / "hdm" / f"{name}_gt.png")
        truth = truth / np.load(tmp_path / "hdm" / f"{name}_alignratio.npy")

        def made(
            images: torch.Tensor,
        ) -> torch.Tensor:  # 1.0 = the shortest frame clips, two stops above the medium
            with torch.no_grad():
                return net(images, torch.tensor([[0.0, 2.0, 4.0]])) * 2 ** (2 / 2.24)

        views = [made(images), made(images.transpose(-1, -2)).transpose(-1, -2)]
        views += [made(images.flip(axis)).flip(axis) for axis in (-1, -2)]
        for row, coded in zip(rows, (views[0], sum(views) / 4), strict=True):
            ours = coded[0].permute(1, 2, 0).double().numpy()
            peak, level = truth.max(), np.percentile(truth**2.24, 99)
            plain = independent.psnr(ours / peak, truth / peak)
            mapped = independent.psnr(*(independent.mu(np.tanh(x**2.24 / level)) for x in (ours, truth)))
            expected[row].append((plain, mapped))
    for row in rows:
        means = np.mean(expected[row], axis=0)
        assert found.ours[row]["ntire-psnr"] == pytest.approx(means[0], abs=2e-3)
        assert found.ours[row]["ntire-psnr-mu"] == pytest.approx(means[1], abs=2e-3)
    # the command says the same, what was printed, and what it leaves out
    done = CliRunner().invoke(bench, [*words, *given, "--scene", "0007"], catch_exceptions=False)
    facts = json.loads(done.stdout)
    cells = {row["name"]: row for row in facts["tables"][0]["rows"]}
    assert cells["Ours w/ TTA"]["printed"]["ntire-psnr"] == "39.9167"
    assert cells[rows[0]]["ours"]["ntire-psnr"] == pytest.approx(expected[rows[0]][0][0], abs=2e-3)
    assert json.loads((tmp_path / "out" / "results.json").read_text())["paper"] == "adnet"


def test_without_data_costs_alone_are_ours() -> None:
    done = CliRunner().invoke(bench, ["paper", "gsanet"], catch_exceptions=False)
    assert "6249.43" in done.output and "No data were given" in done.output
    table = next(one for one in load_paper("gsanet").tables if one.number == "4")
    ours = fill(table, Given()).ours
    assert ours["+ CA"] == {"gmacs": pytest.approx(199.388, abs=1e-3)}
    assert ours["- PCD"] == {}


def test_a_stack_s_folders_are_found_by_name(tmp_path: Path) -> None:
    miniatures.hdr_eye(tmp_path / "HDR-Eye")
    tables = load_paper("stack-itm").tables
    eye = next(table for table in tables if table.case == "hdr-eye")
    copy = "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2])"
    program = f'HDRCNN={sys.executable} -c "{copy}" {{inputs}} {{output:.png}}'
    found = fill(eye, Given(tmp_path, programs=(program,), scenes=("C01",)))
    assert set(found.ours["Proposed"]) == {"hdr-vdp-2", "tm-psnr", "tm-ssim"}
    assert any("HDRCNN" in note and "for display" in note for note in found.notes)
    other = fill(next(table for table in tables if table.case == "fairchild"), Given(tmp_path))
    assert other.ours["Proposed"] == {} and any("Not scored" in note for note in other.notes)


def test_refusals(tmp_path: Path) -> None:
    for words, said in (
        (["paper"], "name one of adnet"),
        (["paper", "adnett"], "did you mean 'adnet'"),
        (["paper", "adnet", "--weights", "adnet"], "expected NAME=FILE"),
        (["paper", "adnet", "--table", "9"], "unknown table"),
        (["paper", "adnet", "--weights", "adnet=none.pth"], "none.pth"),
    ):
        done = CliRunner().invoke(bench, words)
        assert said in str(done.exception)
    with pytest.raises(RequestError, match="did you mean"):
        load_paper("gsanett")


def test_a_program_for_one_photo_is_given_the_photo_that_networks_see(tmp_path: Path) -> None:
    """On a bracket's scene: not three files, but the one that the table's row is about."""
    miniatures.hdm(tmp_path, ("0000", "0005"))
    script = tmp_path / "program.py"
    script.write_text(
        "import sys, numpy as np, OpenEXR, cv2\n"
        "assert len(sys.argv) == 3, sys.argv\n"
        "light = (cv2.imread(sys.argv[1])[..., ::-1] / 255.0) ** 2.24\n"
        "header = {'compression': OpenEXR.ZIP_COMPRESSION, 'type': OpenEXR.scanlineimage}\n"
        "OpenEXR.File(header, {'RGB': np.float32(light)}).write(sys.argv[2])\n"
    )
    table = load_paper("two-stage").tables[0]
    program = f"HDRCNN={sys.executable} {script} {{inputs}} {{output}}"
    found = fill(table, Given(tmp_path, programs=(program,)))
    assert found.ours["HDRCNN"]["ntire-psnr"] > 10 and not any("HDRCNN" in note for note in found.notes)
