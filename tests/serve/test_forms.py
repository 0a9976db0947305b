"""What the page offers is what the commands take."""

from __future__ import annotations

from typing import Any

import pytest

from openhdr.cli.convert import convert
from openhdr.core.errors import RequestError
from openhdr.io import FORMATS
from openhdr.pipeline.pipeline_options import DeliveryOptions
from openhdr.serve.forms import Asked, file_form, stored, words

SUFFIXES = [row.extensions[0] for row in FORMATS.values() if row.light and row.writable]


def value_of(one: Asked) -> Any:
    """One that is not the default."""
    if one.kind == "flag":
        return True
    return one.choices[-1][0] if one.kind == "choice" else one.bounds[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_that_is_offered_together_changes_the_file(suffix: str) -> None:
    """Whatever else is chosen: nothing that the command would refuse can be asked for."""
    form = file_form(suffix)
    rulings = {one.idle_with for one in form} - {""}
    for ruling in ["", *rulings]:
        left = [one for one in form if not ruling or one.idle_with != ruling]
        together = {one.name: value_of(one) for one in left if one.name == ruling or one.name not in rulings}
        assert DeliveryOptions(**stored(suffix, together)) != DeliveryOptions() or not form
        context = convert.make_context("convert", ["a.exr", "-o", f"b{suffix}", *words(together)])
        assert {name: context.params[name] for name in together} == together


def test_what_changes_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="`quality=80` changes nothing where `lossless` is given"):
        stored(".jxl", {"quality": 80, "lossless": True})
    with pytest.raises(RequestError, match="`transfer=hlg` changes nothing where `gain_map` is given"):
        stored(".avif", {"transfer": "hlg", "gain_map": True})
    with pytest.raises(RequestError, match="unknown option 'sdr'"):
        stored(".jpg", {"sdr": "/etc/passwd"})
