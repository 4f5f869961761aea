"""Follow 5,000 messages from a file over HTTP into another file, with the `mist` command.

Every line after a `$` is what a person would type; what follows is what the command answers. The
received file is compared with the sent one byte by byte. Exit status 0 says that they are equal.
"""

import argparse
import gzip
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

STREAM = Path(__file__).resolve().with_name("stream.jsonl.gz")
RECEIVED = "received.jsonl"
_INTERRUPTED = 130


def main() -> int:
    """Take the tour in a directory of its own, which is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep what was received, and say where")
    keep = parser.parse_args().keep
    directory = Path(tempfile.mkdtemp(prefix="mist-tour-"))
    try:
        return _tour(directory)
    except subprocess.CalledProcessError as exc:
        print(f"FAILED: that command ended with status {exc.returncode}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        if keep:
            print(f"What was received is in {directory / RECEIVED}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _tour(directory: Path) -> int:
    shutil.copy(STREAM, directory)
    _say("Check 5,000 messages that mist-go wrote: envelope, version, checksum, typed payload.")
    _run(directory, "validate", STREAM.name)
    _say("Take messages over HTTP into a file, on any free port ...")
    with _listening(directory, "listen", "127.0.0.1:0", "--to", RECEIVED, "--count", "5000") as url:
        _say("... and relay all 5,000 there.")
        _run(directory, "relay", STREAM.name, url)
    _say("The same checks on what arrived.")
    _run(directory, "validate", RECEIVED)
    _say("Is a listener there, and how fast does it answer?")
    with _listening(
        directory, "listen", "127.0.0.1:0", "--to", "pings.jsonl", "--count", "3"
    ) as url:
        _run(directory, "ping", url, "--interval", "0.1")
    sent = gzip.decompress(STREAM.read_bytes())
    received = (directory / RECEIVED).read_bytes()
    count = sent.count(b"\n")
    if sent != received:
        sizes = f"{len(received):,} bytes for {len(sent):,}"
        print(f"\nFAILED: what arrived is not what was sent: {sizes}.")
        return 1
    print(f"\nAll {count:,} messages arrived in order, byte for byte, every checksum intact.")
    return 0


def _say(text: str) -> None:
    print(f"\n# {text}", flush=True)


def _show(words: Sequence[str], *, in_background: bool = False) -> None:
    print(f"$ {shlex.join(['mist', *words])}{' &' if in_background else ''}", flush=True)


def _command(words: Sequence[str]) -> list[str]:
    # This interpreter's own mist, whatever else the PATH holds.
    return [sys.executable, "-m", "mist.command", *words]


def _run(directory: Path, *words: str) -> None:
    _show(words)
    subprocess.run(_command(words), cwd=directory, check=True)


@contextmanager
def _listening(directory: Path, *words: str) -> Generator[str]:
    """Listen while entered; gives the URL, and leaves when the listener has had its count."""
    _show(words, in_background=True)
    with subprocess.Popen(
        _command(words), cwd=directory, stderr=subprocess.PIPE, text=True
    ) as listener:
        assert listener.stderr is not None
        try:
            first = listener.stderr.readline()
            print(first, end="", flush=True)
            if not first.startswith("listening at "):
                raise subprocess.CalledProcessError(listener.wait(), listener.args)
            yield first.split()[-1]
            told = listener.stderr.read()
        finally:
            listener.terminate()
    print(told, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
