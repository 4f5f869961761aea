"""A language is one file."""

import re
import sys
from pathlib import Path

import msgspec
import pytest

from mist.bindings import BindingsError, languages, render
from mist.bindings.command import main
from mist.bindings.mark import MARK
from mist.protocol import payload_type

README = Path(__file__).resolve().parent.parent / "README.md"
GO_ORDER = """\
// Order: An order.
type Order struct {
\t// Which order.
\tNumber int64 `json:"number"`
\t// What it weighs, in grams.
\tWeightG float64 `json:"weight-g,omitempty"`
\t// For whoever packs it.
\tNote *string `json:"note"`
}
"""


class Order(msgspec.Struct, omit_defaults=True):
    """An order.

    Attributes:
        number: Which order.
        weight_g: What it weighs, in grams.
        note: For whoever packs it.
    """

    number: int
    weight_g: float = msgspec.field(default=0.0, name="weight-g")
    note: str | None = "fragile"


@pytest.fixture
def add_language(tmp_path, monkeypatch):
    """Puts a file among the languages."""
    directory = tmp_path / "languages"
    directory.mkdir()
    monkeypatch.setattr(languages, "__path__", [*languages.__path__, str(directory)])
    added = []

    def add(name, text):
        (directory / f"{name}.py").write_text(text, "utf-8")
        added.append(f"{languages.__name__}.{name}")

    yield add
    for module in added:
        sys.modules.pop(module, None)


@pytest.fixture
def go(add_language, tmp_path, monkeypatch):
    """The language that the README adds, and a payload to generate."""
    if not README.is_file():
        pytest.skip("the tests are run without the README beside them")
    (text,) = re.findall(
        r"^```python\n(# mist/bindings/languages/go\.py\n.*?)^```$",
        README.read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    add_language("go", text)
    payload_type("acme.order")(Order)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("payload_types", "go")
def test_a_language_is_there_once_its_file_is(capsys):
    """It is offered with the others, and named where one is asked for that is not there."""
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    assert "go, python, typescript" in capsys.readouterr().out
    with pytest.raises(BindingsError, match="no language 'cobol'; there are go, python, type"):
        render("cobol")


@pytest.mark.usefixtures("payload_types", "go")
def test_its_client_has_ones_own_payloads(tmp_path):
    """The file is marked and the same every time, and a person's own is not overwritten."""
    assert main(["generate", "go", "client"]) == 0
    text = (tmp_path / "client" / "payloads.go").read_text("utf-8")
    assert text.startswith(f"// {MARK} for MIST protocol version 1. Do not edit: ")
    assert text.endswith(GO_ORDER)
    assert render("go") == {"payloads.go": text}
    (tmp_path / "payloads.go").write_text("mine")
    assert main(["generate", "go", "."]) == 10


@pytest.mark.usefixtures("payload_types", "go")
def test_its_client_is_checked_and_brought_up_to_date(tmp_path, capsys):
    """An edited file is out of date until it is written again; export has no payloads of one's own."""
    main(["generate", "go", "client"])
    path = tmp_path / "client" / "payloads.go"
    text = path.read_text("utf-8")
    assert main(["check", "go", "client"]) == 0
    path.write_text(text.replace("int64", "int32"), "utf-8")
    assert main(["check", "go", "client"]) == 10
    assert "out of date: client/payloads.go;" in capsys.readouterr().err
    assert main(["check", "go", "client", "--write"]) == 0
    assert path.read_text("utf-8") == text
    assert main(["check"]) == 0, "it is none of the clients that ship"
    assert main(["export", "go", "client"]) == 0
    assert path.read_text("utf-8") == text.replace("\n" + GO_ORDER, "")
