"""Tests of modules of one's own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import nn
from autograd import Value
from tests.examples import Mixed


def test_a_module_without_forward_says_what_it_lacks() -> None:
    with pytest.raises(NotImplementedError, match=r"Mixed needs a method forward\(self, x\)"):
        Mixed()(1.0)


def test_a_module_that_defines_call_as_in_micrograd_works() -> None:
    class Line(nn.Module):
        def __init__(self) -> None:
            self.w = Value(2.0)

        def __call__(self, x: float) -> Value:
            return self.w * x

    assert Line()(3.0).data == 6.0
    assert repr(Line()) == "Line()"


def test_modules_that_compare_by_their_contents_work() -> None:
    @dataclasses.dataclass
    class Line(nn.Module):
        w: Value

        def forward(self, x: Any) -> Value:
            return self.w * x[0]

    model = nn.Sequential(Line(Value(2.0)))
    assert model.predict([[3.0]]).tolist() == [6.0]
    assert len(model.parameters()) == 1
