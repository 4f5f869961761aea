"""mist.config against pydantic-settings: the same file, variables and fields."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pydantic_settings as settings

from mist.config import Duration, load
from tools.bench.pair import Pair
from tools.bench.row import Rows, at_least

ROWS = Rows("config")

_PREFIX = "BENCH"
# Ten fields with their values in TOML; four sections of them are 40, and so are four times ten.
_VALUES = {
    "host": '"db.example.org"',
    "port": "5432",
    "timeout": "2.5",
    "level": '"debug"',
    "secure": "true",
    "hosts": '["a.example.org", "b.example.org"]',
    "retries": "5",
    "ratio": "0.25",
    "name": '"primary"',
    "path": '"data"',
}
_TIMES = range(4)
_OVERLAID = {"host": "other.example.org", "port": "6543"}  # one field in five

_LEVEL = Literal["debug", "info", "warning"]
_OURS: dict[str, Any] = {
    "host": str,
    "port": Annotated[int, msgspec.Meta(ge=1, le=65535)],
    "timeout": Duration,
    "level": _LEVEL,
    "secure": bool,
    "hosts": list[str],
    "retries": Annotated[int, msgspec.Meta(ge=0)],
    "ratio": Annotated[float, msgspec.Meta(ge=0, le=1)],
    "name": str,
    "path": Path,
}
_THEIRS: dict[str, Any] = _OURS | {
    "port": Annotated[int, pydantic.Field(ge=1, le=65535)],
    "timeout": Annotated[float, pydantic.Field(ge=0)],  # text with a unit is not known there
    "retries": Annotated[int, pydantic.Field(ge=0)],
    "ratio": Annotated[float, pydantic.Field(ge=0, le=1)],
}


class _Sources(settings.BaseSettings):
    """Reads what ours reads: the file, and the environment over it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[settings.BaseSettings],
        init_settings: settings.PydanticBaseSettingsSource,
        env_settings: settings.PydanticBaseSettingsSource,
        dotenv_settings: settings.PydanticBaseSettingsSource,
        file_secret_settings: settings.PydanticBaseSettingsSource,
    ) -> tuple[settings.PydanticBaseSettingsSource, ...]:
        del init_settings, dotenv_settings, file_secret_settings
        return env_settings, settings.TomlConfigSettingsSource(settings_cls)


def _peer(fields: dict[str, Any], file: Path) -> Any:
    config = settings.SettingsConfigDict(
        env_prefix=f"{_PREFIX}_", env_nested_delimiter="__", toml_file=file
    )
    base = type("Base", (_Sources,), {"model_config": config})
    return pydantic.create_model("Peer", __base__=base, **_required(fields))


def _required(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: (hint, ...) for name, hint in fields.items()}


def _pair(
    ours: dict[str, Any], theirs: dict[str, Any], document: str, variables: dict[str, str]
) -> Generator[Pair]:
    """Load one document with both, from the environment of this process."""
    target: Any = msgspec.defstruct("Ours", list(ours.items()))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_text(document)
        peer = _peer(theirs, file)
        os.environ.update(variables)

        def load_ours() -> object:
            return load(file, _PREFIX, target)

        if _plain(load_ours(), file) != _plain(peer(), file):
            raise RuntimeError("the two do not load the same")
        yield Pair(ours=load_ours, peer=peer)
        for name in variables:
            del os.environ[name]


def _plain(made: object, file: Path) -> object:
    """The values of either; a path in the file is relative to it only for ours."""
    if isinstance(made, pydantic.BaseModel | msgspec.Struct):
        names = (
            made.__struct_fields__ if isinstance(made, msgspec.Struct) else type(made).model_fields
        )
        return {name: _plain(getattr(made, name), file) for name in names}
    return file.parent / made if isinstance(made, Path) else made


@ROWS.calls(
    "load 4 sections of 10 fields, 8 variables over them",
    at_least(5),
    against="pydantic-settings, TOML and environment sources only",
    peers=["pydantic-settings", "pydantic"],
)
def load_sections() -> Generator[Pair]:
    """Sections are Structs here, and models there."""
    section = msgspec.defstruct("Section", list(_OURS.items()))
    model = pydantic.create_model("Model", **_required(_THEIRS))
    lines = "".join(f"{name} = {value}\n" for name, value in _VALUES.items())
    yield from _pair(
        {f"s{n}": section for n in _TIMES},
        {f"s{n}": model for n in _TIMES},
        "".join(f"[s{n}]\n{lines}" for n in _TIMES),
        {
            f"{_PREFIX}_S{n}__{name.upper()}": value
            for n in _TIMES
            for name, value in _OVERLAID.items()
        },
    )


@ROWS.calls(
    "load 40 fields, 8 variables over them",
    at_least(5),
    against="pydantic-settings, TOML and environment sources only",
    peers=["pydantic-settings", "pydantic"],
)
def load_flat() -> Generator[Pair]:
    """The same fields in one table."""
    yield from _pair(
        {f"{name}{n}": hint for n in _TIMES for name, hint in _OURS.items()},
        {f"{name}{n}": hint for n in _TIMES for name, hint in _THEIRS.items()},
        "".join(f"{name}{n} = {value}\n" for n in _TIMES for name, value in _VALUES.items()),
        {
            f"{_PREFIX}_{name.upper()}{n}": value
            for n in _TIMES
            for name, value in _OVERLAID.items()
        },
    )
