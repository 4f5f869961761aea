"""`mist send`: one message, made of what the command line says."""

import json
import os
import signal
import socket
import subprocess

import pytest

from mist.protocol import EvalRun, Message


def _stored(tmp_path):
    (line,) = (tmp_path / "out.jsonl").read_bytes().splitlines()
    return Message.unmarshal(line)


def test_a_message_is_made_and_sent(mist, listen, tmp_path):
    """Type, payload and source are those given; the id is printed once it was taken."""
    listener = listen("--to", "out.jsonl", "--count", 1)
    payload = '{"suite": "swe", "n": [1, 2.5, "<&>"]}'
    ended = mist("send", listener.url, "--type", "acme.order", "--payload", payload)
    assert (ended.status, ended.err) == (0, "")
    assert listener.wait().status == 0
    message = _stored(tmp_path)
    assert message.id == ended.out.strip()
    assert (message.type, message.source) == ("acme.order", "mist")
    assert message.decode() == json.loads(payload)
    assert message.checksum
    assert message.verify_checksum()


@pytest.mark.parametrize("how", ["argument", "file", "stdin"])
def test_the_payload_comes_from_where_it_is_said_to(mist, tmp_path, how):
    """A payload is JSON, @file or - for standard input."""
    text = '{"suite": "swe", "baseline": true}'
    (tmp_path / "run.json").write_text(text)
    payload = {"argument": text, "file": "@run.json", "stdin": "-"}[how]
    ended = mist(
        "send", "out.jsonl", "--type=eval.run", f"--payload={payload}", "--source=me", given=text
    )
    assert ended.status == 0, ended.err
    message = _stored(tmp_path)
    assert message.source == "me"
    assert message.decode(EvalRun) == EvalRun("swe", baseline=True)


def test_standard_output_gets_the_message_alone(mist):
    """To - the message is what is printed, without its id."""
    ended = mist("send", "-", "--type", "a.b", "--no-checksum")
    message = Message.unmarshal(ended.out)
    assert (message.type, message.checksum, message.decode()) == ("a.b", 0, {})


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["out.jsonl"], 2, "--type is missing"),
        (["out.jsonl", "--type", "a", "--payload", "{"], 8, "--payload is not JSON"),
        (["out.jsonl", "--type", "a", "--payload", "@missing"], 3, "cannot read missing"),
        (["out.jsonl", "--type", "a", "--payload", "@."], 2, "cannot read ."),
        (["out.jsonl", "--type", "eval.run", "--payload", "[]"], 8, "payload of eval.run"),
        (["out.jsonl", "--type", "a", "--source", ""], 8, "source"),
        (["http://127.0.0.1:1", "--type", "a"], 7, "Connection refused"),
        (["nowhere/out.jsonl", "--type", "a"], 3, "there is no directory nowhere"),
        (["gopher://x", "--type", "a"], 2, "unknown scheme"),
        (["chan:x", "--type", "a"], 2, "a channel is inside one process"),
        (["out.jsonl", "--type", "a", "--timeout", "nan"], 2, "--timeout must be positive"),
    ],
)
def test_what_cannot_be_sent_is_told(execute, tmp_path, words, status, reason):
    """What is wrong is one line on stderr, with the status of its code; nothing was sent."""
    ended = execute("send", *words)
    assert ended.status == status, ended.err
    assert reason in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_a_payload_over_the_limit_is_refused(execute, tmp_path):
    """A payload of 10 MiB and a byte is not sent."""
    (tmp_path / "big.json").write_text(json.dumps("x" * (10 << 20)))
    ended = execute("send", tmp_path / "out.jsonl", "--type=a", f"--payload=@{tmp_path}/big.json")
    assert ended.status == 8
    assert "10485760" in ended.err


def test_a_peer_that_does_not_answer_is_a_timeout(execute):
    """--timeout bounds the wait for an answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = execute("send", url, "--type", "a", "--timeout", "0.3")
    assert ended.status == 5
    assert ended.err.startswith("mist: timeout: http")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_the_wait_for_a_payload(start, begun):
    """Ctrl-C while standard input is silent ends at once."""
    process = start("send", "out.jsonl", "--type=a", "--payload=-", stdin=subprocess.PIPE)
    begun(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
