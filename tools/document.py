"""A TOML file that knows on which line each of its keys and items stands."""

import re
import tomllib
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"\s*\[+(?P<name>[^\[\]]+)\]+\s*(#.*)?$")
_KEY = re.compile(r"""\s*(?P<name>[\w-]+|"[^"]*"|'[^']*')\s*=""")


class Document:
    """A parsed TOML file, for messages that name a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text(encoding="utf-8")
        self.data: dict[str, Any] = tomllib.loads(text)
        self._lines = text.splitlines()

    def line(self, table: str, key: str = "", item: str = "") -> int:
        """Tell the line of a table, of a key in it, or of a string in that key's array.

        Falls back to the nearest enclosing thing that is there, and to line 1.
        """
        found = 1
        current_table = current_key = ""
        for number, text in enumerate(self._lines, start=1):
            if header := _HEADER.match(text):
                current_table, current_key = _bare(header["name"]), ""
                if current_table == table:
                    found = number
            elif entry := _KEY.match(text):
                current_key = _bare(entry["name"])
            if current_table != table or not key or current_key != key:
                continue
            if not item or f'"{item}"' in text or f"'{item}'" in text:
                return number
            if _KEY.match(text):
                found = number
        return found


def _bare(name: str) -> str:
    return name.replace('"', "").replace("'", "").strip()
