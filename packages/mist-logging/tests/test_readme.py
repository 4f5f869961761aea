"""The README's examples do what the README says."""

import re
from importlib.metadata import metadata
from pathlib import Path


def readme() -> str:
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return metadata("mist-logging").json["description"]


def test_readme_examples_write_what_the_readme_shows(run):
    """The first example's lines are printed beneath it; the second one runs."""
    text = readme()
    first, second = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (expected,) = re.findall(r"^```text\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ran = run(first)
    assert ran.stderr == ""
    shown = re.sub(r'"time":"[^"]+"', '"time":"T"', ran.stdout)
    shown = re.sub(r'"span_id":"[0-9a-f]{32}"', '"span_id":"S"', shown)
    shown = re.sub(r'"stack":"Traceback.*KeyError: \'missing\'"', '"stack":"..."', shown)
    assert shown == expected
    assert run(second).returncode == 0


def test_readme_names_every_masked_word(make_log):
    """And each is masked."""
    (names,) = re.findall(r"lists of pairs: `([a-z_ ]+)`", readme())
    log = make_log("t")
    log.logger.info("m", **dict.fromkeys(names.split(), "x"))
    assert set(log.fields.values()) == {"***"}
    assert len(log.fields) == 17
