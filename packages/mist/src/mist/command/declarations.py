"""The commands as a person types them; what each does is in the module of its name.

That module is imported when the command runs. `--help`, completion and a mistyped command line
answer before asyncio, msgspec and the transports are there.
"""

from __future__ import annotations

from importlib import import_module

from mist.cli import Command
from mist.command.signals_held import signals_held
from mist.errors import Code, exit_code

# `typing` would be half of what the rest takes to import, so only type checkers see it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHOWN_PROBLEMS = 20
NOBODY_ANSWERED = exit_code(Code.UNAVAILABLE)


def _when_run(module: str) -> Any:
    """Return the `run` of a module of this package, without importing it yet."""

    def run(command: Command, args: list[str]) -> Any:
        with signals_held():
            run_command = import_module(f"mist.command.{module}").run
        return run_command(command, args)

    return run


def validate_command() -> Command:
    """Return `mist validate`."""
    command = Command(
        "validate",
        "Check envelope, version, checksum and payload of every message",
        _when_run("validate"),
        description=(
            "Reads JSON lines; a file that ends in .gz is decompressed. What is wrong goes to"
            " standard error with file and line, the totals to standard output: a table on a"
            " terminal, else one line of JSON. Blank lines do not count. The exit status is 1 if"
            " any message is invalid. A file that cannot be read does not stop the others; its error"
            " comes last, and gives the exit status."
        ),
        examples=["mist validate messages.jsonl", "some-tool | mist validate"],
    )
    command.add_argument(
        "file", "files to check; none or - for standard input", arity="*", complete="file"
    )
    command.add_bool_flag("all", help=f"show every problem, not only the first {SHOWN_PROBLEMS}")
    return command


def dedupe_command() -> Command:
    """Return `mist dedupe`."""
    command = Command(
        "dedupe",
        "Write each message once, however often it stands in some files",
        _when_run("dedupe"),
        description=(
            "Reads JSON lines, as one stream in the order of the files, and writes to standard"
            " output those messages that did not come before; a file that ends in .gz is"
            " decompressed. A message comes again when its id, source, type and payload are those"
            " of one before it. One that has only the id of another is written too, and told.\n\n"
            "Memory is bounded by --window, the number of ids that are remembered, at about 200"
            " bytes each: a message that comes again after more than that many others is written"
            " again. Lines that are not messages are reported and skipped. They, and ids that were"
            " given twice, make the exit status 1."
        ),
        examples=[
            "mist dedupe received.jsonl > once.jsonl",
            "mist dedupe monday.jsonl.gz tuesday.jsonl | mist relay - http://127.0.0.1:8080",
        ],
    )
    command.add_argument(
        "file", "files to read; none or - for standard input", arity="*", complete="file"
    )
    command.add_int_flag("window", 1_000_000, "ids to remember")
    return command


def relay_command() -> Command:
    """Return `mist relay`."""
    command = Command(
        "relay",
        "Move messages from one place to another",
        _when_run("relay"),
        description=(
            "Messages keep their order, their payloads byte for byte, and their checksums. A"
            " destination over HTTP that has no room, or cannot be reached, is waited for, and"
            " the messages go on where they stopped; standard error tells. One that was cut off"
            " in the middle of an answer may get the last messages twice, under the same id."
            " A destination that refuses for good (401, 404, a full disk) ends the relay.\n\n"
            "Ctrl-C reads no more and still delivers what has been read; a second one ends at"
            " once. Of a file, the number of messages to --skip next time is told; what came from"
            " anywhere else and cannot be delivered is kept in a file mist-undelivered-*.jsonl of"
            " the working directory. Lines that are not messages are reported and skipped, and"
            " make the exit status 1."
        ),
        examples=[
            "mist relay messages.jsonl http://127.0.0.1:8080",
            "mist relay messages.jsonl.gz - | grep '\"acme.order\"'",
            "some-tool | mist relay - collector.jsonl",
            "mist relay --follow spans.jsonl https://collector.example:8443 --token ...",
        ],
    )
    command.add_argument(
        "src",
        "URL, file (.gz too) or - to read from; an http:// URL is listened at",
        complete="file",
    )
    command.add_argument("dst", "URL, file or - to send to", complete="file")
    command.add_bool_flag("follow", help="at the end of a source file wait for more")
    command.add_int_flag("skip", 0, "messages to pass over at the start")
    _add_peer_flags(command)
    return command


def listen_command() -> Command:
    """Return `mist listen`."""
    command = Command(
        "listen",
        "Take messages over HTTP; print them or pass them on",
        _when_run("listen"),
        description=(
            "Prints each message as one line of JSON, or sends it to the destination of --to."
            " While that has no room, peers are told to come back (503). The address is told on"
            " standard error; port 0 takes any free port.\n\n"
            "With --to a file, peers are answered when their messages are written, so that not even"
            " kill -9 loses what was acknowledged. Otherwise they are answered when these stand in"
            " the inbox; a listener that is killed loses up to --inbox of them, and 1,024 that it"
            " has read ahead.\n\n"
            "Ctrl-C takes no more, and still delivers what peers were told was taken; what cannot"
            " be delivered is kept in a file mist-undelivered-*.jsonl of the working directory."
        ),
        examples=[
            "mist listen :8080",
            "mist listen 127.0.0.1:0 --to messages.jsonl",
            "mist listen unix:/run/mist.sock --to http://127.0.0.1:8081",
            "mist listen :8443 --cert server.pem --token ...",
            "mist listen 127.0.0.1:8080 --allow-origin http://localhost:5173",
        ],
    )
    command.add_argument("addr", "host:port, :port, [::1]:port or unix:/path")
    command.add_string_flag("to", "-", "URL, file or - to send to", complete="file")
    command.add_int_flag("count", 0, "stop after this many messages; 0 for never")
    command.add_int_flag("inbox", 4096, "messages that may wait before peers are told to come back")
    command.add_string_flag(
        "token", "", "bearer token that peers must show; `ps` shows it, unless the variable has it"
    )
    command.add_string_flag(
        "allow-origin",
        "",
        "origins whose pages may post from a browser, separated by commas; * for all",
    )
    command.add_string_flag(
        "cert", "", "the server's certificate chain (PEM), to speak TLS", complete="file"
    )
    command.add_string_flag(
        "key", "", "its private key, where it is in another file", complete="file"
    )
    command.add_string_flag(
        "client-ca", "", "demand client certificates signed by these (PEM)", complete="file"
    )
    return command


def send_command() -> Command:
    """Return `mist send`."""
    command = Command(
        "send",
        "Make one message and send it",
        _when_run("send"),
        description=(
            "Prints the message's id once the destination has taken it. A payload whose type mist"
            " knows is checked first. A full destination is waited for, up to --timeout."
        ),
        examples=[
            "mist send http://127.0.0.1:8080 --type acme.order --payload '{\"n\": 1}'",
            "mist send messages.jsonl --type eval.run --payload @run.json",
            "jq -c . run.json | mist send http://127.0.0.1:8080 --type eval.run --payload -",
        ],
    )
    command.add_argument("url", "URL or file to send to, - for standard output", complete="file")
    command.add_string_flag("type", "", "what the payload is, such as eval.run (required)")
    command.add_string_flag("payload", "{}", "JSON, @file, or - for standard input")
    command.add_string_flag("source", "mist", "the tool that the message comes from")
    command.add_bool_flag("checksum", default=True, help="add the payload's checksum")
    _add_peer_flags(command)
    return command


def ping_command() -> Command:
    """Return `mist ping`."""
    command = Command(
        "ping",
        "Ask whether a listener answers, and how fast",
        _when_run("ping"),
        description=(
            "Sends health.ping messages, which the listener takes like any others, and times the"
            " answers. The statistics are a table on a terminal, else one line of JSON, with"
            f" times in milliseconds. The exit status is 0 if any was taken, {NOBODY_ANSWERED} if"
            " none was. Ctrl-C ends with the statistics."
        ),
        examples=["mist ping http://127.0.0.1:8080", "mist ping :8080 --count 100 --interval 0.1"],
    )
    command.add_argument("url", "the listener's URL, or host:port")
    command.add_int_flag("count", 3, "how many to send; 0 for no end", short="c")
    command.add_float64_flag("interval", 1.0, "seconds from one to the next", short="i")
    _add_peer_flags(command)
    return command


def _add_peer_flags(command: Command) -> None:
    """Declare what dialing a peer over HTTP may need."""
    command.add_string_flag(
        "token", "", "bearer token to send along; `ps` shows it, unless the variable has it"
    )
    command.add_string_flag(
        "ca", "", "certificates (PEM) to trust instead of the system's", complete="file"
    )
    command.add_string_flag("cert", "", "client certificate (PEM) to show", complete="file")
    command.add_string_flag(
        "key", "", "its private key, where it is in another file", complete="file"
    )
    command.add_float64_flag("timeout", 10.0, "seconds to wait for each answer")
