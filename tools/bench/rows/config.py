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

_SECTIONS = 4
_PREFIX = "BENCH"
_SECTION = """
host = "db.example.org"
port = 5432
timeout = 2.5
level = "debug"
secure = true
hosts = ["a.example.org", "b.example.org"]
retries = 5
ratio = 0.25
name = "primary"
path = "data"
"""
# Ten fields of four sections are 40; these lie over the file's, one in five.
_VARIABLES = {
    f"{_PREFIX}_S{n}__{name}": value
    for n in range(_SECTIONS)
    for name, value in {"HOST": "other.example.org", "PORT": "6543"}.items()
}


class Section(msgspec.Struct):
    """Ten fields, with the constraints of its twin."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    timeout: Duration = 1.0
    level: Literal["debug", "info", "warning"] = "info"
    secure: bool = False
    hosts: list[str] = []
    retries: Annotated[int, msgspec.Meta(ge=0)] = 3
    ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    name: str = "x"
    path: Path = Path()


class Config(msgspec.Struct):
    """Four sections."""

    s0: Section
    s1: Section
    s2: Section
    s3: Section


class PeerSection(pydantic.BaseModel):
    """The same ten fields; a duration is a plain number there."""

    host: str
    port: Annotated[int, pydantic.Field(ge=1, le=65535)]
    timeout: Annotated[float, pydantic.Field(ge=0)] = 1.0
    level: Literal["debug", "info", "warning"] = "info"
    secure: bool = False
    hosts: list[str] = []
    retries: Annotated[int, pydantic.Field(ge=0)] = 3
    ratio: Annotated[float, pydantic.Field(ge=0, le=1)] = 0.5
    name: str = "x"
    path: Path = Path()


def _peer(file: Path) -> type[settings.BaseSettings]:
    class Peer(settings.BaseSettings):
        model_config = settings.SettingsConfigDict(
            env_prefix=f"{_PREFIX}_", env_nested_delimiter="__", toml_file=file
        )
        s0: PeerSection
        s1: PeerSection
        s2: PeerSection
        s3: PeerSection

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

    return Peer


@ROWS.calls(
    "load 40 fields, 8 variables over them",
    at_least(5),
    against="pydantic-settings, TOML and environment sources only",
    peers=["pydantic-settings", "pydantic"],
)
def load_fields() -> Generator[Pair]:
    """Load one file with both, from the environment of this process."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_text("".join(f"[s{n}]{_SECTION}" for n in range(_SECTIONS)))
        os.environ.update(_VARIABLES)
        peer: Any = _peer(file)

        def ours() -> Config:
            return load(file, _PREFIX, Config)

        if ours().s3.port != peer().s3.port:
            raise RuntimeError("the two do not load the same")
        yield Pair(ours=ours, peer=peer)
        for name in _VARIABLES:
            del os.environ[name]
