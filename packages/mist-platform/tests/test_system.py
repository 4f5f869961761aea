"""The system's names, line endings and signals are those that Go knows."""

import platform
import signal
import struct
import sys

import pytest

from mist.platform import (
    arch,
    is_windows,
    normalize_line_endings,
    os_name,
    platform_line_ending,
    shutdown_signals,
    to_platform_line_endings,
)


@pytest.mark.parametrize(
    ("ours", "gos"),
    [
        ("linux", "linux"),
        ("darwin", "darwin"),
        ("win32", "windows"),
        ("cygwin", "windows"),
        ("freebsd14", "freebsd"),
        ("sunos5", "solaris"),
        ("aix", "aix"),
        ("emscripten", "js"),
        ("wasi", "wasip1"),
        ("android", "android"),
    ],
)
def test_systems_have_the_names_of_goos(monkeypatch, ours, gos):
    """Each of Python's platform names becomes Go's."""
    monkeypatch.setattr(sys, "platform", ours)
    assert os_name() == gos
    assert is_windows() == (gos == "windows")


@pytest.mark.parametrize(
    ("ours", "bits", "gos"),
    [
        ("x86_64", 64, "amd64"),
        ("AMD64", 64, "amd64"),
        ("x86_64", 32, "386"),
        ("i686", 32, "386"),
        ("aarch64", 64, "arm64"),
        ("arm64", 64, "arm64"),
        ("ARM64", 64, "arm64"),
        ("aarch64", 32, "arm"),
        ("armv7l", 32, "arm"),
        ("ppc64le", 64, "ppc64le"),
        ("s390x", 64, "s390x"),
        ("riscv64", 64, "riscv64"),
        ("loongarch64", 64, "loong64"),
    ],
)
def test_architectures_have_the_names_of_goarch(monkeypatch, ours, bits, gos):
    """Each machine name becomes Go's, for the word size that the interpreter has."""
    monkeypatch.setattr(platform, "machine", lambda: ours)
    monkeypatch.setattr(sys, "maxsize", (1 << bits - 1) - 1)
    assert arch() == gos


def test_this_machine_has_a_name():
    """On the machine of the tests the names are among those that Go has."""
    assert os_name() in {"linux", "darwin", "windows", "freebsd"}
    assert arch() in {"amd64", "arm64", "386", "arm", "ppc64le", "s390x", "riscv64"}
    assert struct.calcsize("P") == 4 or arch() not in {"386", "arm"}


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("", ""),
        ("a\nb\n", "a\nb\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("a\r\nb\n", "a\nb\n"),
        ("a\rb\r", "a\rb\r"),
        ("a\r\r\nb", "a\r\nb"),
    ],
)
def test_normal_line_endings_are_newlines(given, normal):
    r"""Only `\r\n` is changed, in text as in bytes."""
    assert normalize_line_endings(given) == normal
    assert normalize_line_endings(given.encode()) == normal.encode()


def test_off_windows_nothing_is_converted(monkeypatch):
    r"""The line ending is `\n`, and data passes through untouched."""
    monkeypatch.setattr(sys, "platform", "linux")
    assert platform_line_ending() == "\n"
    assert to_platform_line_endings("a\r\nb\n") == "a\r\nb\n"


def test_on_windows_every_line_ends_in_crlf(monkeypatch):
    r"""Mixed line endings become `\r\n`, and none is doubled."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert platform_line_ending() == "\r\n"
    assert to_platform_line_endings("a\r\nb\n") == "a\r\nb\r\n"
    assert to_platform_line_endings(b"a\r\nb\n") == b"a\r\nb\r\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_shutdown_is_asked_for_by_sigterm_and_sigint():
    """These are the signals of a service manager and of Ctrl+C."""
    assert shutdown_signals() == (signal.SIGTERM, signal.SIGINT)


def test_shutdown_on_windows_is_ctrl_c_or_ctrl_break(monkeypatch):
    """SIGTERM never comes there."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGABRT, raising=False)
    assert shutdown_signals() == (signal.SIGINT, signal.SIGBREAK)
