"""Draw what `mist demo` shows on a terminal: `hatch run picture` writes docs/demo.svg.

The demo really runs, on a pseudo-terminal; what it writes there is kept, and drawn by rich.
"""

import argparse
import errno
import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tools.workspace import ROOT

COLUMNS = 100
# What a live display does before it draws itself anew: erase its line, after going up if need be.
_REDRAWN = re.compile(r"[^\n]*(\n\r?\x1b\[1A|\r)\x1b\[2K")
_CURSOR = re.compile(r"\x1b\[\?25[lh]")
# Fonts from elsewhere: a picture is complete in itself.
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> int:
    """Run the demo and draw it."""
    parser = argparse.ArgumentParser(description="Draw what mist demo shows on a terminal.")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "demo.svg")
    target = parser.parse_args().to
    shown = settled(record("demo"))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ mist demo", style="bold"))
    console.print(Text.from_ansi(shown), end="")
    svg = _FONTS.sub("", console.export_svg(title="mist demo", theme=MONOKAI, unique_id="mist"))
    target.write_text(svg, encoding="utf-8")
    print(f"drawn: {target}")
    return 0


def record(*words: str) -> str:
    """Return what a `mist` command writes to a terminal, control sequences and all."""
    import pty  # noqa: PLC0415  # Windows has none
    import termios  # noqa: PLC0415  # likewise

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, COLUMNS))
    with tempfile.TemporaryDirectory() as home:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("XDG_")}
        environment = kept | {"HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "mist.command", *words]
        with subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=home
        ):
            os.close(theirs)
            return _read_all(ours)


def settled(written: str) -> str:
    """Return what is left on the screen, without the states of the bar that were drawn over."""
    lines = _CURSOR.sub("", written.replace("\r\n", "\n"))
    while (settled := _REDRAWN.sub("", lines)) != lines:
        lines = settled
    return lines.replace("\r", "")


def _read_all(terminal: int) -> str:
    read: list[bytes] = []
    try:
        while data := os.read(terminal, 1 << 16):
            read.append(data)
    except OSError as exc:
        if exc.errno != errno.EIO:  # the other end is closed
            raise
    finally:
        os.close(terminal)
    return b"".join(read).decode()


if __name__ == "__main__":
    sys.exit(main())
