"""Types that no configuration can have are told at once, and where."""

import dataclasses
import re
from collections import namedtuple
from collections.abc import Callable
from dataclasses import InitVar, dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import Struct

from mist.config import ConfigTypeError, load


class Typed(TypedDict):
    """A table by another name."""

    a: int


class Named(NamedTuple):
    """A list by another name."""

    a: int


@pytest.mark.parametrize(
    "hint",
    [complex, Callable[[], int], re.Pattern, Path | str, list[Path | str], list[int] | set[int], Typed, Named,
     PureWindowsPath, msgspec.Raw, dict[tuple[int, int], str], namedtuple("Old", "a"), type],
    ids=str,
)  # fmt: skip
def test_an_unsupported_type_is_named_with_its_field(hint):
    """It is a TypeError of the program, before anything is read."""
    inner = msgspec.defstruct("Inner", [("field", hint)])
    outer = msgspec.defstruct("Outer", [("section", inner | None, None)])
    with pytest.raises(
        ConfigTypeError, match=r"^Inner\.field: .* is not supported in a configuration"
    ):
        load("does-not-matter.toml", "APP", outer)


class Unresolved(Struct):
    """A name that is nowhere."""

    good: int
    bad: "Nowhere"  # noqa: F821  # is the point


@dataclass
class UnresolvedToo:
    """The same in a dataclass."""

    bad: "list[Nowhere]"  # noqa: F821  # is the point


@pytest.mark.parametrize("target", [Unresolved, UnresolvedToo])
def test_an_annotation_that_cannot_be_resolved_is_named_with_its_field(target):
    """The text says which name is missing."""
    with pytest.raises(
        ConfigTypeError, match=rf"{target.__name__}\.bad: .*'Nowhere' is not defined"
    ):
        load(None, "APP", target)


@pytest.mark.parametrize(
    "target", [int, dict, Typed, Struct | None, "Settings", Unresolved(1, 2), [], None]
)
def test_only_a_struct_or_a_dataclass_can_be_loaded(target):
    """An instance in the type's place is told, too."""
    with pytest.raises(ConfigTypeError, match="no msgspec Struct and no dataclass"):
        load(None, "APP", target)


T = TypeVar("T")


@dataclass
class GenericData(Generic[T]):
    """Its annotations cannot be applied."""

    item: T


@dataclass
class Initial:
    """Takes what is no field."""

    a: int
    b: InitVar[int]


@dataclass
class Late:
    """Has a field that it has to set itself."""

    a: int
    b: int = dataclasses.field(init=False)


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (GenericData[int], "only a Struct can be generic"),
        (Initial, "InitVar"),
        (Late, r"Late\.b: a field with init=False needs a default"),
        (msgspec.defstruct("Flat", [("a", int)], array_like=True), "array_like"),
        (msgspec.defstruct("Two", [("a_b", int), ("x", int, msgspec.field(name="a-b"))]), "too much alike"),
        (msgspec.defstruct("Two", [("aB", int), ("a_b", int)]), "too much alike"),
        (
            msgspec.defstruct(
                "One", [("a__b", int), ("a", msgspec.defstruct("In", [("b", int)]))]
            ),
            "a__b and a.b have one variable",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_what_a_file_or_the_environment_could_not_express_is_refused(target: Any, why):
    """Ambiguity is the program's to solve, not the user's."""
    with pytest.raises(ConfigTypeError, match=why):
        load(None, "APP", target)
