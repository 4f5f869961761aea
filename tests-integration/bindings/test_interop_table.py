"""The README of mist-bindings shows what the interop tests show."""

import os

import pytest


def test_the_readme_shows_what_is_tested(interop, tested, root):
    """The table in the README is the one that the tests make."""
    readme = root / "packages" / "mist-bindings" / "README.md"
    text = readme.read_text("utf-8")
    if not tested:
        pytest.skip("no interop test is part of this run")
    unknown = [c for c in tested if c[0] not in interop.ROWS or c[1] not in interop.CLIENTS]
    assert not unknown
    expected = interop.replace_table(text, interop.make_table(interop.read_table(text) | tested))
    if os.environ.get("MIST_INTEROP") == "write":
        readme.write_text(expected, "utf-8")
    else:
        assert text == expected, "set MIST_INTEROP=write to have the table written"
