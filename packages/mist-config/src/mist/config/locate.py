"""On which line a TOML document has each of its keys.

tomllib keeps no positions, so this reads the document a second time, when there is a problem to
place. It relies on tomllib for what is valid: of a document that is not, it finds what stands
before the fault.
"""

import re
import tomllib

from mist.config.value import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*'""")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*+'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")  # numbers, booleans, and dates, which may have a space inside


class Locations:
    """The lines of a document's keys.

    Attributes:
        lines: the line of each table, key and list item, from 1; of a table without a header of
            its own the line that first mentions it.
        duplicates: keys that are defined twice, with the line of the first and of the second.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.duplicates: list[tuple[KeyPath, int, int]] = []
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._defined: set[KeyPath] = set()
        self._sizes: dict[KeyPath, int] = {}  # of arrays of tables
        try:
            self._read()
        except (_LostError, RecursionError):
            self._text = ""

    def _read(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._header("[[", "]]")
                size = self._sizes[table] = self._sizes.get(table, 0) + 1
                self._mention(table)
                table = (*table, size - 1)
                self._define(table)
            elif self._text.startswith("[", self._at):
                table = self._header("[", "]")
                self._define(table)
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self, opening: str, closing: str) -> KeyPath:
        self._at += len(opening)
        keys = self._keys()
        self._expect(closing)
        path: KeyPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            self._mention(path)
            if path in self._sizes:
                path = (*path, self._sizes[path] - 1)
        return (*path, keys[-1])

    def _pair(self, table: KeyPath) -> None:
        path = table
        keys = self._keys()
        for key in keys:
            path = (*path, key)
            self._mention(path)
        self._define(path)
        self._expect("=")
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            raw = self._take(_KEY)
            keys.append(_plain(raw))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        opening = self._text[self._at : self._at + 1]
        if opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        elif opening in ('"', "'"):
            self._take(_TEXT)
        else:
            self._take(_BARE)

    def _list(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._text.startswith("]", self._at):
                self._at += 1
                return
            self._define((*path, index))
            self._value((*path, index))
            self._skip(_BLANK)
            if not self._text.startswith("]", self._at):
                self._expect(",")
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text.startswith("}", self._at):
                self._at += 1
                return
            self._pair(path)
            self._skip(_BLANK)
            if not self._text.startswith("}", self._at):
                self._expect(",")

    def _mention(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self._here())

    def _define(self, path: KeyPath) -> None:
        line = self._here()
        if path in self._defined:
            self.duplicates.append((path, self.lines[path], line))
            raise _LostError
        self._defined.add(path)
        self.lines[path] = line

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            raise _LostError
        self._at = found.end()
        return found[0]

    def _expect(self, literal: str) -> None:
        if not self._text.startswith(literal, self._at):
            raise _LostError
        self._at += len(literal)


class _LostError(Exception):
    """The document is not valid from here on."""


def _plain(raw: str) -> str:
    """The key that is written so."""
    if raw[0] not in "\"'":
        return raw

    try:
        return str(tomllib.loads(f"key = {raw}")["key"])
    except ValueError:
        raise _LostError from None
