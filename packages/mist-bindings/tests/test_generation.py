"""Where generated files go, and what they never harm."""

import os
import stat

import msgspec
import pytest

from mist.bindings import BindingsError, describe, export, generate, render
from mist.bindings.generation import own_protocol, stale
from mist.bindings.languages import renderer
from mist.bindings.mark import MARK, is_marked, marked
from mist.bindings.shipped import read_client
from mist.bindings.templates import fill
from mist.bindings.writing import write_files
from mist.protocol import payload_type

MARKED = f"# {MARK}\n"


def test_what_ships_is_what_would_be_generated(language):
    """The clients in the package are up to date; `mist-bindings check --write` makes them so."""
    shipped = read_client(language)
    generated = renderer(language)(own_protocol())
    assert {name: shipped.get(name) for name in generated} == dict(generated)


def test_what_is_written_by_hand_reaches_every_client(language):
    """A client for other payloads is the shipped one, but for the files that are generated."""
    shipped = read_client(language)
    client = render(language, describe(["health.ping"]))
    by_hand = shipped.keys() - renderer(language)(own_protocol())
    assert client.keys() == shipped.keys()
    for name in by_hand:
        assert client[name].endswith(shipped[name]), name
        assert not is_marked(shipped[name].encode()), name


def test_generated_files_are_marked_and_carry_the_version(language):
    """Each says in its first lines that it is not to be edited, and for which version it is."""
    for name, text in render(language, own_protocol()).items():
        assert is_marked(text.encode()), name
        assert "for MIST protocol version 1. Do not edit" in text, name
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name


@pytest.mark.usefixtures("payload_types")
def test_export_leaves_ones_own_payloads_out(language, tmp_path):
    """What is exported is the client of the stack's own payloads, whatever else is registered."""
    payload_type("acme.order")(msgspec.defstruct("Order", [("number", int)]))
    export(language, tmp_path / "exported")
    generate(language, tmp_path / "generated")
    texts = render(language, own_protocol())
    assert stale(tmp_path / "exported", texts) == []
    assert stale(tmp_path / "generated", texts) != []


def test_generating_again_writes_nothing(language, tmp_path):
    """Files that are as they should be keep even their time."""
    assert generate(language, tmp_path, protocol=own_protocol())
    assert generate(language, tmp_path, protocol=own_protocol()) == []


def test_a_client_is_judged_by_its_own_files_alone(language, tmp_path):
    """What else lies beside them may be anything; a file that is changed or gone is named."""
    first, *others = generate(language, tmp_path, protocol=own_protocol())
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "tool.wasm").write_bytes(b"\0asm\xff")
    texts = render(language, own_protocol())
    assert stale(tmp_path, texts) == []
    first.write_bytes(first.read_bytes().replace(b"\n", b"\r\n"))
    assert stale(tmp_path, texts) == [], "line ends are those of the system's Git"
    first.unlink()
    for path in others:
        path.write_bytes(b"\xff")
    assert stale(tmp_path, texts) == sorted(texts)


def test_a_suffix_without_a_known_comment():
    """A hand-written file of such a kind is named, rather than shipped without the line."""
    with pytest.raises(ValueError, match=r"lib/client\.zig: no comment is known for its suffix"):
        marked("lib/client.zig", "", "1")


def test_a_template_and_its_parts_fit():
    """A hole that nothing fills, or a part without a hole, is an error and not a broken client."""
    with pytest.raises(
        ValueError, match=r"payloads\.py\.in.*holes \['records'\], parts \['version'\]"
    ):
        fill("python/payloads.py.in", version="1")


@pytest.mark.parametrize("function", [generate, export, lambda name, _: render(name)])
def test_a_language_that_is_not_there(function, tmp_path):
    """The error lists those that are."""
    with pytest.raises(BindingsError, match=r"no language 'cobol'; there are .*python") as caught:
        function("cobol", tmp_path)
    assert caught.value.code == "not_found"
    assert not list(tmp_path.iterdir())


def test_a_file_that_a_person_wrote_is_kept(tmp_path):
    """Nothing at all is written while one file is in the way, unless forced."""
    (tmp_path / "b.py").write_text("mine")
    with pytest.raises(BindingsError, match=r"not overwritten: .*b\.py;") as caught:
        write_files(tmp_path, {"a.py": MARKED, "b.py": MARKED})
    assert caught.value.code == "conflict"
    assert [path.name for path in tmp_path.iterdir()] == ["b.py"]
    assert (tmp_path / "b.py").read_text() == "mine"
    write_files(tmp_path, {"a.py": MARKED, "b.py": MARKED}, force=True)
    assert (tmp_path / "b.py").read_text() == MARKED


def test_a_generated_file_is_replaced_whole(tmp_path):
    """Who holds the old file keeps it; no temporary file is left, and others may read it."""
    path = tmp_path / "deep" / "a.py"
    write_files(tmp_path, {"deep/a.py": MARKED + "old\n"})
    with path.open() as held:
        assert write_files(tmp_path, {"deep/a.py": MARKED}) == [path]
        assert held.read() == MARKED + "old\n"
    assert [each.name for each in path.parent.iterdir()] == ["a.py"]
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path, monkeypatch):
    """When the new file cannot be put in place, the old one stands and no rest is left."""
    write_files(tmp_path, {"a.py": MARKED + "old\n"})

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path, {"a.py": MARKED})
    assert (tmp_path / "a.py").read_text() == MARKED + "old\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.py"]
