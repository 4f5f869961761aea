"""Where the golden data is, and how Go re-encodes a payload on its way."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mist.protocol import registry

GoldenReader = Callable[[str], list[dict[str, Any]]]


def _golden_dir() -> Path | None:
    named = os.environ.get("MIST_GOLDEN")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        candidate = parent / "shared" / "golden"
        if candidate.is_dir():
            return candidate
    return None


@pytest.fixture(autouse=True)
def registry_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test's payload classes meet another test, of this package or of a later one."""
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The directory of what mist-go itself wrote."""
    directory = _golden_dir()
    if directory is None:
        pytest.skip("no shared/golden above this file; name it by MIST_GOLDEN")
    return directory


@pytest.fixture(scope="session")
def golden(golden_dir: Path) -> GoldenReader:
    """Reads a golden file's lines."""

    def read(name: str) -> list[dict[str, Any]]:
        lines = (golden_dir / name).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    return read


@pytest.fixture(scope="session")
def relay() -> Callable[[bytes], bytes]:
    """A peer that parses an envelope and writes it anew, the way mist-go does.

    Go drops the payload's white space and escapes five characters; numbers stay to the letter.
    """
    escapes = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
    token = re.compile(r'"(?:[^"\\]|\\.)*"|[^"\s]+')

    def reencode(wire: bytes) -> bytes:
        text = wire.decode()
        json.loads(text)
        return "".join(token.findall(text)).translate(escapes).encode()

    return reencode
