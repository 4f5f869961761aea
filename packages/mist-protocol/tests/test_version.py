"""Which versions are understood, whatever stands in their place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.protocol import (
    CURRENT_VERSION,
    MAX_SUPPORTED_VERSION,
    MIN_SUPPORTED_VERSION,
    ProtocolError,
    UnsupportedVersion,
    check_version,
    is_compatible,
    negotiate_version,
    version_info,
)


@pytest.mark.parametrize("version", ["1", "01", "+1", " 1 ", "\t1\n", "0000000000000000001"])
def test_every_spelling_of_one_that_go_reads_is_compatible(version):
    """Signs, leading zeros and white space around the number are allowed, as in Go."""
    check_version(version)
    assert is_compatible(version)


@pytest.mark.parametrize(
    "version",
    [
        "",
        " ",
        "x",
        "1.0",
        "1_0",
        "0x1",
        "1e0",
        "\u0661",
        "\uff11",
        "\u00b9",
        "1 1",
        "--1",
        "+",
        "1\0",
        "9" * 20,
        "-" + "9" * 20,
        "9" * 100_000,
    ],
)
def test_what_is_no_number_to_go_is_refused(version):
    """Digits of other scripts, underscores, fractions and 20 digits are no versions."""
    assert not is_compatible(version)
    with pytest.raises(UnsupportedVersion, match=r"invalid version .*expected a whole number") as e:
        check_version(version)
    assert len(str(e.value)) < 300


def test_the_range_is_checked():
    """A version below or above the supported range is refused with the range's end."""
    with pytest.raises(UnsupportedVersion, match=r"version '0' is too old \(min supported: 1\)"):
        check_version("0")
    with pytest.raises(UnsupportedVersion, match=r"version '-7' is too old"):
        check_version("-7")
    with pytest.raises(UnsupportedVersion, match=r"version '2' is too new \(max supported: 1\)"):
        check_version("2")
    with pytest.raises(UnsupportedVersion, match="too new"):
        check_version("9223372036854775807")


@pytest.mark.parametrize(
    ("local", "remote", "version"),
    [
        ("1", "1", "1"),
        ("1-3", "2-5", "3"),
        ("2-5", "1-3", "3"),
        (" 1 - 3 ", "+2", "2"),
        ("1-1", "1-9", "1"),
    ],
)
def test_the_highest_common_version_is_chosen(local, remote, version):
    """Two ranges that overlap give the highest version in both."""
    assert negotiate_version(local, remote) == version


@pytest.mark.parametrize(
    ("local", "remote", "reason"),
    [
        ("1-2", "3-4", "no compatible version"),
        ("2-1", "1", "invalid local version range '2-1': min 2 > max 1"),
        ("1", "3-2", "invalid remote version range '3-2': min 3 > max 2"),
        ("1-", "1", "invalid local version range '1-': expected 'min-max' or one version"),
        ("1", "-1", "invalid remote version range '-1'"),
        ("1--1", "1", "invalid local"),
        ("1-2-3", "1", "invalid local"),
        ("1", "\u0661", "invalid remote"),
        ("1", "1_0", "invalid remote"),
        ("1", "x" * 100_000, "invalid remote"),
        ("9" * 30 + "-1", "1", "invalid local"),
    ],
)
def test_ranges_without_a_common_version_are_refused(local, remote, reason):
    """Ranges apart, upside down or malformed are an error that says which side is wrong."""
    with pytest.raises(UnsupportedVersion) as caught:
        negotiate_version(local, remote)
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) < 300
    assert isinstance(caught.value, ProtocolError)
    assert caught.value.code == "protocol"


@given(local=st.text(), remote=st.text())
def test_no_text_raises_anything_else(local, remote):
    """Any text in place of a version is compatible or is refused."""
    assert is_compatible(local) in (True, False)
    with suppress(UnsupportedVersion):
        negotiate_version(local, remote)


@given(low=st.integers(0, 99), high=st.integers(0, 99), other=st.integers(0, 99))
def test_negotiation_does_not_depend_on_the_side(low, high, other):
    """Both sides choose the same version, and one that both have."""
    ours, theirs = f"{min(low, high)}-{max(low, high)}", str(other)
    if min(low, high) <= other <= max(low, high):
        assert negotiate_version(ours, theirs) == negotiate_version(theirs, ours) == str(other)
    else:
        with pytest.raises(UnsupportedVersion):
            negotiate_version(ours, theirs)


def test_the_constants_are_consistent():
    """The version of new messages lies in the range that is read, and is told in one line."""
    assert MIN_SUPPORTED_VERSION <= CURRENT_VERSION <= MAX_SUPPORTED_VERSION
    assert is_compatible(CURRENT_VERSION)
    assert version_info() == "MIST protocol version 1"
