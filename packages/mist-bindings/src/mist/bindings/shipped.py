"""The clients in this package, file by file.

`clients/LANGUAGE` is a whole client for the stack's own payloads. Most of it is written by hand
and stands there alone; a client for other payloads is the same but for the few files that
depend on the protocol, which are generated.
"""

from pathlib import Path

CLIENTS = Path(__file__).parent / "clients"


def shipped_languages() -> list[str]:
    """Return the languages whose client stands here, sorted."""
    return sorted(path.name for path in CLIENTS.iterdir() if path.is_dir())


def read_client(language: str) -> dict[str, str]:
    """Return the text of each file of a language's client, by its path below the client.

    There are none for a language whose client depends on the protocol as a whole.
    """
    directory = CLIENTS / language
    # A tool that looked at a client may have left things that are not text.
    left_behind = {"__pycache__", "node_modules"}
    return {
        path.relative_to(directory).as_posix(): path.read_text("utf-8")
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not left_behind.intersection(path.parts)
    }
