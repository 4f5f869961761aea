"""`mist ping`: whether a listener answers, and how fast."""

import json
import os
import re
import signal

import pytest

from mist.protocol import HealthPing, MessageType, unmarshal_lines


def test_answers_are_timed(mist, listen, tmp_path):
    """Each answer is told on stderr, the statistics are the last line on stdout."""
    listener = listen("--to", "out.jsonl", "--count", 4)
    ended = mist("ping", listener.url, "--count", 4, "--interval", 0.01)
    assert ended.status == 0
    assert len(re.findall(r"^\d: \S+ answered in \d+\.\d\d ms$", ended.err, re.MULTILINE)) == 4
    figures = json.loads(ended.out)
    assert (figures["sent"], figures["answered"]) == (4, 4)
    assert 0 < figures["min_ms"] <= figures["mean_ms"] <= figures["max_ms"]
    assert listener.wait().status == 0
    for message in unmarshal_lines((tmp_path / "out.jsonl").read_bytes()):
        assert message.type == MessageType.HEALTH_PING
        assert message.decode() == HealthPing("mist")


def test_the_first_round_trip_does_not_include_loading_the_client(mist, listen):
    """Importing an HTTP client takes twice as long as the bound; one quiet run in five is enough."""
    listener = listen("--to", "out.jsonl")
    runs = (mist("ping", listener.url, "--count", 1) for _ in range(5))
    assert any(json.loads(ended.out)["max_ms"] < 100 for ended in runs)


def test_nobody_there_is_status_6(execute):
    """When nothing was answered the status says so, and each failure its reason."""
    ended = execute("ping", "127.0.0.1:1", "--count", 2, "--interval", 0)
    assert ended.status == 6
    assert json.loads(ended.out) == {"sent": 2, "answered": 0}
    assert ended.err.count("Connection refused") == 2


def test_a_token_is_shown(mist, listen):
    """A listener that demands a token answers only who shows it."""
    listener = listen("--token", "secret")
    assert mist("ping", listener.url, "-c", 1).status == 6
    assert mist("ping", listener.url, "-c", 1, "--token", "secret").status == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["out.jsonl"], "nobody answers there"),
        (["-"], "nobody answers there"),
        (["http://"], "names no host"),
        ([":1", "--count=-1"], "--count"),
        ([":1", "--interval=-1"], "--interval"),
        ([":1", "--interval=nan"], "--interval"),
        ([":1", "--timeout=nan"], "--timeout"),
        (["chan:x"], "a channel is inside one process"),
    ],
)
def test_what_cannot_be_pinged_is_refused(execute, words, reason):
    """A file, a wrong URL, a wrong number: status 2 and the reason."""
    ended = execute("ping", *words)
    assert ended.status == 2
    assert reason in ended.err


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_with_the_statistics(start, listen):
    """Without end until Ctrl-C, which still gives the statistics."""
    process = start("ping", listen().url, "--count", 0, "--interval", 30)
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert json.loads(out)["answered"] == 1
    assert err == "mist: cancelled: interrupted\n"
