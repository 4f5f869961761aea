"""What a class and its attributes mean, read from its docstring."""

import inspect
import re
from typing import Any, NamedTuple

_SECTION = re.compile(r"^(\w+):$")
_ENTRY = re.compile(r"^    (\w+): (.+)$")
_ON_THE_WIRE = re.compile(r" \(`\w+` on the wire\)")


class Docs(NamedTuple):
    """A docstring, taken apart.

    Attributes:
        summary: Its first paragraph, on one line.
        attributes: What its `Attributes:` section says of each attribute, each on one line.
    """

    summary: str
    attributes: dict[str, str]


def read_docs(cls: type[Any]) -> Docs:
    """Return what a class says of itself; what it does not say is empty.

    A remark such as "(`from` on the wire)" is left out: a generator knows both names.
    """
    # Not inspect.getdoc: a class without a docstring is not what its base says it is.
    lines = inspect.cleandoc(cls.__dict__.get("__doc__") or "").splitlines()
    summary: list[str] = []
    for line in lines:
        if not line or _SECTION.match(line):
            break
        summary.append(line)
    text = " ".join(summary)
    # What a dataclass without a docstring is given says nothing that the fields do not.
    return Docs("" if text.startswith(f"{cls.__name__}(") else text, _attributes(lines))


def _attributes(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    section = current = ""
    for line in lines:
        if header := _SECTION.match(line):
            section = header[1]
        elif section == "Attributes" and (entry := _ENTRY.match(line)):
            current = entry[1]
            found[current] = [entry[2]]
        elif section == "Attributes" and current and line.startswith("     "):
            found[current].append(line.strip())
    return {name: _ON_THE_WIRE.sub("", " ".join(parts)) for name, parts in found.items()}
