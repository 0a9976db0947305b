"""Methods with all that they are set to, and those that a named case compares: every row of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from openhdr.bench.methods.method_options import NoOptions, options_of, split_options, typed_options
from openhdr.bench.methods.network import NetworkOptions
from openhdr.bench.methods.opencv import OpenCVOptions
from openhdr.bench.methods.program import ProgramOptions, check_command
from openhdr.core.errors import RequestError, unknown_name
from openhdr.expansion import INVERSE_TONE_MAPPERS
from openhdr.merging import MERGERS, LearnedRow
from openhdr.models import MODELS, WEIGHTS
from openhdr.pipeline.bracket_to_hdr import METHODS as MERGE_METHODS
from openhdr.pipeline.photo_to_hdr import METHODS as EXPAND_METHODS
from openhdr.pipeline.pipeline_options import ExpandOptions, MergeOptions

OPTIONS: dict[str, type] = {
    "merge": MergeOptions,
    "expand": ExpandOptions,
    "opencv": OpenCVOptions,
    "program": ProgramOptions,
    "network": NetworkOptions,
    "photo": NoOptions,
}
"""The options of each task, by its name."""


@dataclass(frozen=True)
class Setting:
    """One row of the report: a method with everything that it is set to.

    task: `merge` the bracket; `expand` the reference frame alone; `opencv` = what OpenCV makes of the bracket;
        `network` = a network of a paper on the frames as they are; `program` = what a program outside of openhdr
        makes of it; `photo` = the reference frame as it is.
    method: a name as on the command line, None = the default. options: fields of the task's options that differ
        from their defaults, see OPTIONS.
    """

    name: str
    summary: str = ""
    task: str = "merge"
    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise RequestError(f"method '{self.name}': task is '{self.task}'; expected one of {known}")
        known_options = options_of(OPTIONS[self.task])
        for key in self.options:
            if key not in known_options:
                raise unknown_name(f"option of method '{self.name}'", key, known_options)

    @property
    def weights(self) -> str | None:
        """Of a network: a shipped name or a file; None = its first."""
        return self.options.get("weights")


Offer = tuple[tuple[Setting, ...], tuple[str, ...]]
"""Settings, and what a reader should know of what is not among them."""


VARIANTS = (
    Setting("mle-no-deghost", "mle without deghosting", method="mle", options={"deghost": False}),
    Setting("mle-no-align", "mle without alignment", method="mle", options={"align": "none"}),
    Setting(
        "mle-flow", "mle with dense alignment after the homography", method="mle", options={"align": "flow"}
    ),
)
OPENCV = Setting("opencv", "AlignMTB and MergeDebevec of OpenCV, with its defaults", task="opencv")
PHOTO = Setting("photo", "the reference photo alone, linearised: what a method has to beat", task="photo")


def merge_settings() -> Offer:
    """Every merger that gives light, variants of one, every network that comes with weights, and the photo."""
    mergers = [row for row in MERGERS.values() if row.output == "radiance"]
    classical = tuple(Setting(row.name, row.summary, method=row.name) for row in mergers)
    networks, notes = _networks("merge")
    shown = [name for name, row in MERGERS.items() if row.output == "display"]
    if shown:
        notes = (
            f"Left out: {', '.join(shown)}, which makes an image for display and no light to score.",
            *notes,
        )
    return (*classical, *VARIANTS, *networks, OPENCV, PHOTO), notes


def expand_settings() -> Offer:
    """Every expansion of one photo, every network for it that comes with weights, and the photo."""
    classical = tuple(
        Setting(row.name, row.summary, "expand", row.name) for row in INVERSE_TONE_MAPPERS.values()
    )
    networks, notes = _networks("expand")
    return (*classical, *networks, PHOTO), notes


def _networks(task: str) -> Offer:
    found = [row for row in WEIGHTS.values() if MODELS[row.network].task == task]
    trained = {row.network for row in found}
    untrained = [
        name for name, row in MODELS.items() if row.task == task and row.recipe and name not in trained
    ]
    notes = (f"No weights yet: {', '.join(untrained)}.",) if untrained else ()
    if found and find_spec("torch") is None:
        missing = "The networks were left out: torch is not installed (pip install 'openhdr[torch]')."
        return (), (missing, *notes)
    settings = tuple(
        Setting(
            row.name,
            f"{MODELS[row.network].summary}; weights {row.name}",
            task,
            row.network,
            {"weights": row.name},
        )
        for row in found
    )
    return settings, notes


def weights_sha256(setting: Setting) -> str | None:
    """What the setting's weights are now: of the table of weights, or of one of openhdr's own methods that has learned
    ones, in several files perhaps: their hashes in the order of its row.

    None for a method without weights, and for a file of the user's.
    """
    if setting.weights and setting.weights in WEIGHTS:
        return WEIGHTS[setting.weights].sha256
    files: dict[str, tuple[tuple[str, str], ...]] = {
        **{row.name: row.sha256 for row in MERGERS.values() if isinstance(row, LearnedRow)},
        **{row.name: row.sha256 for row in INVERSE_TONE_MAPPERS.values()},
    }
    return " ".join(digest for _, digest in files.get(setting.method or "", ())) or None


def size_of(setting: Setting) -> tuple[int | None, float | None]:
    """Learned parameters, and 1e9 multiply-adds at 1060x1900 (challenge's rule); None where nothing is learned."""
    row = next((row for row in MODELS.values() if row.name == setting.method), None)
    return (row.params, row.gmacs) if row else (None, None)


def as_network(setting: Setting) -> Setting:
    """The setting, a paper's network on the frames as they are; any other method unchanged."""
    networks = [row.name for row in MODELS.values() if row.task in ("merge", "expand")]
    return replace(setting, task="network") if setting.method in networks else setting


def parse_setting(text: str, frames_as_they_are: bool = False) -> Setting:
    """A setting from the command line: a method's name, then its options, `mle:align=none,deghost=off`.

    The name is that of a merger, an expansion method, a network, `opencv` or `photo`. frames_as_they_are: see `Case`.
    Raises RequestError for what is unknown.
    """
    name, texts = split_options(text)
    kept = next((one for one in (OPENCV, PHOTO) if one.name == name), None)
    if kept:
        return replace(kept, name=text, options=typed_options(OPTIONS[kept.task], texts))
    if name not in MERGE_METHODS and name not in EXPAND_METHODS:
        raise unknown_name("method", name, [*MERGE_METHODS, *EXPAND_METHODS, OPENCV.name, PHOTO.name])
    setting = Setting(text, task="merge" if name in MERGE_METHODS else "expand", method=name)
    setting = as_network(setting) if frames_as_they_are else setting
    return replace(setting, options=typed_options(OPTIONS[setting.task], texts))


def parse_program(text: str) -> Setting:
    """`NAME=command {inputs} {ev} {output}` -> the setting of a program, see program.py."""
    name, equals, command = text.partition("=")
    if not equals or not name.strip():
        raise RequestError(f"`programs={text}`: expected NAME='command {{inputs}} {{ev}} {{output}}'")
    check_command(command)
    return Setting(name.strip(), command.strip(), "program", options={"command": command.strip()})
