"""A URL leads to its transport, and a wrong one to an error that says what to write."""

import os
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from mist.protocol import Message
from mist.transport import (
    HTTP,
    Channel,
    File,
    Stdio,
    TransportClosed,
    TransportError,
    dial,
    wrap,
)

EXAMPLE = Path(__file__).parent / "example-scheme"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://localhost:8080", "http://localhost:8080/mist"),
        ("HTTP://localhost:8080/inbox", "http://localhost:8080/inbox"),
        ("https://[::1]/x", "https://[::1]/x"),
        ("http+unix:///run/mist.sock", "/run/mist.sock"),
    ],
)
def test_http_urls_lead_to_http(url, name):
    """Every form of an HTTP URL is known, also in capitals."""
    transport = dial(url, timeout=1.0)
    assert isinstance(transport, HTTP)
    assert name in repr(transport)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///tmp/a.jsonl", "/tmp/a.jsonl"),
        ("file:/tmp/a.jsonl", "/tmp/a.jsonl"),
        ("file:a.jsonl", "a.jsonl"),
        ("file://relative/a.jsonl", "relative/a.jsonl"),
        ("file:///tmp/with%20space%25.jsonl", "/tmp/with space%.jsonl"),
        ("file:///tmp/m%C3%BCll?#x", "/tmp/müll?#x"),
    ],
)
def test_file_urls_lead_to_files(url, path):
    """As in mist-go the path stands after the slashes, and may be relative; % escapes."""
    transport = dial(url, follow=True)
    assert isinstance(transport, File)
    assert transport.path == Path(path)
    assert transport.follow


async def test_the_same_name_leads_to_the_same_channel():
    """`chan:` is a channel of one's own, `chan://name` everybody's."""
    message = Message.new("test", "test.one", 1)
    ours, theirs = dial("chan://shared"), dial("chan://shared")
    await ours.send(message)
    assert await theirs.receive() == message
    assert dial("chan:shared") is ours
    assert dial("chan:") is not dial("chan:")
    assert isinstance(ours, Channel)
    await ours.close()
    small = dial("chan:", size=1)
    await small.send(message)
    with pytest.raises(TransportError, match="full"):
        await small.send(message)


def test_stdio_urls_lead_to_stdin_and_stdout():
    """A tool that dials `stdio:` is a filter."""
    script = textwrap.dedent("""
        import asyncio
        from mist.transport import dial

        async def main():
            async with dial("stdio:") as stdio:
                async for message in stdio:
                    await stdio.send(message)

        asyncio.run(main())
    """)
    line = Message.new("test", "test.one", 1).marshal() + b"\n"
    done = subprocess.run(
        [sys.executable, "-c", script], input=line, capture_output=True, check=True
    )
    assert done.stdout == line


async def test_options_reach_the_transport():
    """`dial` takes the keyword arguments of the class; one that it lacks is a TypeError."""
    spare, out = os.pipe()
    stdio = dial("stdio:", stdin=spare, stdout=out)
    assert isinstance(stdio, Stdio)
    await stdio.close()
    os.close(spare)
    os.close(out)
    with pytest.raises(TypeError, match="follow"):
        dial("chan:", follow=True)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://", "names no host"),
        ("https:///path", "names no host"),
        ("http://host:port", "not a URL"),
        ("http+unix://relative.sock", "three slashes"),
        ("file:", "names no file; write file:///path"),
        ("file://", "names no file"),
        ("file:///a%00b", "no file is called"),
        ("stdio:out", "write stdio:"),
        ("messages.jsonl", "has no scheme; for a file write file:messages.jsonl"),
        ("", "has no scheme"),
        (
            "amqp://user:secret@host",
            "unknown scheme 'amqp', known are chan, file, http, http\\+unix, https, stdio",
        ),
    ],
)
def test_a_wrong_url_is_refused_at_once(url, text):
    """The error has code `validation`, says what to write, and repeats no password."""
    with pytest.raises(TransportError, match=text) as caught:
        dial(url)
    assert caught.value.code == "validation"
    assert "secret" not in str(caught.value)


def test_nothing_is_opened_by_dialing(tmp_path):
    """A transport that is dialed and not used leaves no trace."""
    dial(f"file:{tmp_path}/absent.jsonl")
    assert list(tmp_path.iterdir()) == []
    dial("http://127.0.0.1:1")


@pytest.fixture
def installed(tmp_path):
    """Lay the example distribution out as an installer does, and run scripts beside it."""
    site = tmp_path / "site"
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    with (info / "entry_points.txt").open("w") as file:
        for group, entries in project["entry-points"].items():
            print(f"[{group}]", *(f"{k} = {v}" for k, v in entries.items()), sep="\n", file=file)
    shutil.copy(EXAMPLE / "example_spool.py", site)

    def run(script):
        path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout

    run.site = site
    return run


def test_an_installed_distribution_adds_a_scheme(installed):
    """With its entry point there, `dial` knows the scheme, passes options, and lists it."""
    output = installed("""
        import asyncio, sys
        from mist.protocol import Message
        from mist.transport import EndOfStream, Transport, TransportError, dial

        async def main():
            spool = dial(f"spool:{sys.argv[1]}", suffix=".msg")
            assert isinstance(spool, Transport)
            for n in range(3):
                await spool.send(Message.new("test", "test.number", n))
            for n in range(3):
                print((await spool.receive()).decode())
            try:
                await spool.receive()
            except EndOfStream as exc:
                print("end")
            try:
                dial("nosuch:x")
            except TransportError as exc:
                print(exc)

        asyncio.run(main())
    """)
    assert output.splitlines() == [
        "0",
        "1",
        "2",
        "end",
        (
            "cannot dial: unknown scheme 'nosuch', known are"
            " chan, file, http, http+unix, https, spool, stdio"
        ),
    ]


def test_a_registered_scheme_that_cannot_be_loaded_is_named(installed):
    """The error says which entry point is broken, and why."""
    (installed.site / "example_spool.py").unlink()
    output = installed("""
        from mist.transport import TransportError, dial
        try:
            dial("spool:x")
        except TransportError as exc:
            print(exc.code, exc)
    """)
    assert output.startswith("internal cannot dial spool: URLs: example_spool:open_spool")
    assert "No module named 'example_spool'" in output


async def test_what_dial_returns_can_be_wrapped():
    """A dialed transport is a transport like any other."""
    async with wrap(dial("chan:")) as wrapped:
        await wrapped.close()
        with pytest.raises(TransportClosed):
            await wrapped.receive()
