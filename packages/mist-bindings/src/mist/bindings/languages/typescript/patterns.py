"""Regular expressions of Python, as JavaScript spells them under its flag `u`."""

import re
from typing import Final

_ESCAPE: Final = r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-9]{1,3}|.)"
_QUANTIFIER: Final = r"(?:[*+?]|\{(?=[0-9,])[0-9]*(?:,[0-9]*)?\})"
_SET_OPENING: Final = r"\[\^?\]?"  # where it is the first, a bracket closes nothing
_OUTSIDE: Final = re.compile(rf"{_ESCAPE}|{_QUANTIFIER}\+?|\(\?P?<?.|{_SET_OPENING}|.", re.DOTALL)
_IN_A_SET: Final = re.compile(rf"{_ESCAPE}|.", re.DOTALL)

_WORD: Final = r"[\p{L}\p{N}_]"  # to JavaScript, \w has no letters but those of ASCII
_SPELLED_OUTSIDE: Final = {
    "$": r"(?=\n?$)",  # in Python, also before a line end that ends the text
    ".": r"[^\n]",  # in JavaScript, three more characters end a line
    r"\A": "^",
    r"\Z": "$",
    r"\b": rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    r"\B": rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
    r"\w": _WORD,
    r"\W": rf"[^{_WORD[1:]}",
    **{sign: f"\\{sign}" for sign in "{}]"},
}
_SPELLED_IN_A_SET: Final = {r"\w": _WORD[1:-1], r"\-": r"\-"}
_SPELLED_ANYWHERE: Final = {r"\d": r"\p{Nd}", r"\D": r"\P{Nd}", r"\a": r"\x07"}
_GROUPS: Final = frozenset({"(?:", "(?=", "(?!", "(?<=", "(?<!"})
_SAME_ESCAPES: Final = frozenset(r"^$\.*+?()[]{}|/" "bfnrsStvxu")


def javascript_pattern(pattern: str) -> str:
    """Return the expression that matches in JavaScript what the given one matches in Python.

    Raises:
        ValueError: There is none, or none that is known here.
    """
    spelled: list[str] = []
    place, in_a_set = 0, False
    while place < len(pattern):
        found = (_IN_A_SET if in_a_set else _OUTSIDE).match(pattern, place)
        assert found is not None  # noqa: S101  # any character is one
        part, place = found[0], found.end()
        spelled.append(_in_a_set(part) if in_a_set else _outside(part))
        in_a_set = part != "]" if in_a_set else part.startswith("[")
    return "".join(spelled)


def _outside(part: str) -> str:
    if spelled := _SPELLED_OUTSIDE.get(part):
        return spelled
    if part.startswith("["):
        return part.replace("]", r"\]")
    if part.startswith("{,"):
        return f"{{0{part[1:]}"
    is_group_of_python = part.startswith("(?") and part not in _GROUPS
    is_possessive = len(part) > 1 and part.endswith("+") and part[0] != "\\"
    if is_group_of_python or is_possessive:
        raise ValueError(f"JavaScript has no {part!r}")
    return _escape(part) if part.startswith("\\") else part


def _in_a_set(part: str) -> str:
    if not part.startswith("\\"):
        return part
    return _SPELLED_IN_A_SET.get(part) or _escape(part, in_a_set=True)


def _escape(part: str, *, in_a_set: bool = False) -> str:
    if spelled := _SPELLED_ANYWHERE.get(part):
        return spelled
    sign = part[1]
    if sign.isdigit():
        is_group = not in_a_set and sign != "0" and len(part) < len(r"\000")
        return part if is_group else rf"\u{{{int(part[1:], 8):x}}}"
    if sign == "U":
        return rf"\u{{{part[2:]}}}"
    if sign.isalpha() and sign not in _SAME_ESCAPES:
        raise ValueError(f"JavaScript has no {part!r} there")
    return part if sign in _SAME_ESCAPES else sign
