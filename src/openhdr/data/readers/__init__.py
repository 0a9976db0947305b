"""Folder layouts of datasets: one row and one file each. Reading a row imports nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openhdr.core.errors import FileError, RequestError
from openhdr.core.table import Row, Table

if TYPE_CHECKING:
    from openhdr.data.dataset import Dataset


@dataclass(frozen=True)
class DatasetRow(Row):
    """A folder layout. Its target is a function (root: Path, split: str) -> Dataset."""

    splits: tuple[str, ...] = ("all",)
    paper: str = ""


DATASETS: Table[DatasetRow] = Table(
    "dataset",
    DatasetRow(
        "hdm",
        "HdM/NTIRE 2021-22: three 8-bit frames, 16-bit truth; challenge, ADNet and GSANet layouts.",
        "openhdr.data.readers.hdm:open_hdm",
        splits=(
            *("train", "validation", "gsanet-train", "gsanet", "adnet-train", "adnet"),
            *("two-stage-train", "two-stage-test", "test", "all"),
        ),
        paper="Froehlich 2014; Perez-Pellitero 2021",
    ),
    DatasetRow(
        "kalantari",
        "Kalantari 2017: three 16-bit TIFF, exposure.txt, HDRImg.hdr a scene.",
        "openhdr.data.readers.kalantari:open_kalantari",
        splits=("train", "test"),
        paper="Kalantari 2017",
    ),
    DatasetRow(
        "tel",
        "Tel 2023: Kalantari's layout with scenes that clip little.",
        "openhdr.data.readers.tel:open_tel",
        splits=("train", "test"),
        paper="Tel 2023",
    ),
    DatasetRow(
        "sice",
        "SICE: JPEG stacks from dark to bright with a fused label.",
        "openhdr.data.readers.sice:open_sice",
        splits=("train", "test", "all"),
        paper="Cai 2018",
    ),
    DatasetRow(
        "sice-s",
        "SICE stacks with the best darker and brighter frame of a middle input.",
        "openhdr.data.readers.sice_s:open_sice_s",
        splits=("train", "test", "all"),
        paper="Zhang 2023",
    ),
    DatasetRow(
        "hdr-eye",
        "HDR-Eye: nine exposures, an HDR image and an LDR image a scene.",
        "openhdr.data.readers.hdr_eye:open_hdr_eye",
        paper="Nemoto 2015",
    ),
    DatasetRow(
        "fairchild",
        "HDR Photographic Survey: OpenEXR images, brackets beside them where downloaded.",
        "openhdr.data.readers.fairchild:open_fairchild",
        paper="Fairchild 2007",
    ),
    DatasetRow("hdr-folder", "Any folder of HDR images.", "openhdr.data.readers.hdr_folder:open_hdr_folder"),
    DatasetRow(
        "bracket-folder",
        "Any folder with one folder a bracket.",
        "openhdr.data.readers.bracket_folder:open_bracket_folder",
    ),
    DatasetRow(
        "simulated", "What `openhdr simulate` writes.", "openhdr.data.readers.simulated:open_simulated"
    ),
)


def open_dataset(kind: str, root: str | Path, split: str | None = None) -> Dataset:
    """List the scenes of a dataset on disk; no pixels are read.

    kind: a name of DATASETS. split: one of the row's splits, None = its first; a file SPLIT.txt in the folder, one
    scene's name a line, says which scenes it has. Raises RequestError for an unknown name and FileError when the
    folder does not have the layout.
    """
    row = DATASETS[kind]
    chosen = split or row.splits[0]
    if chosen not in row.splits:
        raise RequestError(
            f"dataset '{kind}' has no split '{chosen}'; choose one of: {', '.join(row.splits)}"
        )
    listed = Path(root) / f"{chosen}.txt"
    if "all" in row.splits and listed.is_file():
        every: Dataset = row.load()(Path(root), "all")
        names = listed.read_text(encoding="utf-8").split()
        unknown = next((name for name in names if name not in every.entries), None)
        if unknown is not None:
            raise FileError(
                listed, f"lists '{unknown}', which is no scene", f"expected names such as {every.names[0]}"
            )
        return every.only(names)
    return row.load()(Path(root), chosen)
