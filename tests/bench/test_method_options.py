"""Methods with options as text, from the dataclasses that the pipeline is called with."""

from __future__ import annotations

from dataclasses import fields

import pytest

from openhdr.bench.methods.method_options import options_of, split_options, typed_options, with_options
from openhdr.bench.methods.reconstruct import reconstruct
from openhdr.bench.methods.settings import parse_program, parse_setting
from openhdr.core.errors import RequestError
from openhdr.pipeline.pipeline_options import ExpandOptions, MergeOptions


def test_a_method_with_options_is_a_setting():
    setting = parse_setting("mle:align=none,deghost=off,response=calibrate,reference=2")
    assert (setting.name, setting.task, setting.method) == (
        "mle:align=none,deghost=off,response=calibrate,reference=2",
        "merge",
        "mle",
    )
    assert setting.options == {"align": "none", "deghost": False, "response": "calibrate", "reference": 2}
    assert parse_setting("opencv:align=none").options == {"align": "none"}


def test_options_are_those_of_the_pipeline():
    known = options_of(MergeOptions)
    own = {field.name for field in fields(MergeOptions)} - {"ev", "times", "method", "run"}
    assert own <= set(known) and {"reference", "device"} <= set(known)
    assert not {"ev", "times", "method"} & set(known)  # of the bracket, or said before the colon


def test_options_reach_the_dataclasses_within():
    changed = with_options(MergeOptions(), {"deghost": False, "reference": 3, "device": "cuda"})
    assert (changed.deghost, changed.reference, changed.run.device) == (False, 3, "cuda")
    assert changed.run.memory == MergeOptions().run.memory


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mlee", "did you mean 'mle'"),
        ("mle:algin=none", "did you mean 'align'"),
        ("mle:align", "'align' is no option"),
        ("mle:deghost=perhaps", "on or off"),
        ("mle:memory=much", "a number"),
        ("photo:align=none", "unknown option"),
    ],
)
def test_what_cannot_be_used_is_named(text, said):
    with pytest.raises(RequestError, match=said):
        parse_setting(text)


def test_values_are_checked_where_they_are_used(scene):
    with pytest.raises(RequestError, match="choose one of: mtb, none"):
        reconstruct(parse_setting("opencv:align=flow"), scene.given)


def test_dashes_and_underscores_are_one():
    assert split_options("stack-itm:keep-stack=on") == ("stack-itm", {"keep_stack": "on"})
    assert typed_options(ExpandOptions, {"keep_stack": "on", "memory": "2"}) == {
        "keep_stack": True,
        "memory": 2.0,
    }


@pytest.mark.parametrize(
    "text", ["enfuse", "=x {inputs} {output}", "x=enfuse {inputs}", "x=a {inputs} {output} {evs}"]
)
def test_programs_need_a_name_and_know_their_fields(text):
    with pytest.raises(RequestError, match=r"\{inputs\}"):
        parse_program(text)
