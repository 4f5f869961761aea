"""Objects that a program made or changed itself."""

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta, Struct

from mist.config import ByteSize, ConfigError, ConfigTypeError, Duration, Secret, validate


class Color(enum.Enum):
    """An enum."""

    RED = "red"


class Disk(Struct, tag=True):
    """One member of a union."""

    size: ByteSize


class Bucket(Struct, tag=True):
    """The other."""

    name: Annotated[str, Meta(min_length=1)]


class Rule(Struct):
    """A section with a rule."""

    low: int = 0
    high: int = 1

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("low is above high")


@dataclass
class Settings:
    """All kinds of fields."""

    port: Annotated[int, Meta(ge=1)]
    wait: Duration = 1.0
    path: Path = Path("x")
    secret: Secret | None = None
    color: Color = Color.RED
    store: Disk | Bucket = field(default_factory=lambda: Disk(1))
    rules: dict[str, Rule] = field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")
    names: set[str] = field(default_factory=set)


def test_a_sound_object_passes():
    """Every kind of value is taken in its Python form."""
    made = Settings(
        1, 2.5, Path("y"), Secret("s"), Color.RED, Bucket("b"), {"a": Rule()}, (2, "b"), {"n"}
    )
    assert validate(made) is None
    assert validate(Rule()) is None


def test_all_that_is_wrong_is_told_by_path():
    """Annotations, constraints and rules hold at any depth, also for what was changed later."""
    rule = Rule()
    rule.low = 5
    made = Settings(0, "1m", "x", "plain", "red", Bucket(""), {"a": rule}, (1,), {1})
    with pytest.raises(ConfigError) as caught:
        validate(made)
    found = {problem.path: problem.got or problem.message for problem in caught.value.problems}
    assert found == {
        "port": "0",
        "wait": '"1m"',
        "path": '"x"',
        "secret": "***",
        "store.name": '""',
        "rules.a": "low is above high",
        "pair": "a list of 1",
        "names[0]": "1",
    }


def test_another_class_in_a_section_s_place_is_wrong():
    """What only looks like a section is none; it is not spelled out."""
    with pytest.raises(ConfigError) as caught:
        validate(Settings(1, rules={"a": Disk(1)}))
    assert caught.value.problems[0].got == "an object of class Disk"


def test_only_structs_and_dataclasses_can_be_validated():
    """Anything else is a mistake of the program."""
    with pytest.raises(ConfigTypeError, match="no msgspec Struct and no dataclass"):
        validate({"port": 1})


def test_the_object_stays_as_it_is():
    """Its rules run on a copy."""

    class Normalizing(Struct):
        name: str

        def __post_init__(self):
            self.name = self.name.lower()

    made = Normalizing("A")
    made.name = "B"
    validate(made)
    assert made.name == "B"
