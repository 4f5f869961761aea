"""Variables of the environment: which field each is for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mist.config.entry import Entry
from mist.config.names import VARIABLES, find
from mist.config.node import Leaf, Node, Section, leaves, segment
from mist.config.origin import Origin
from mist.config.prepare import WRONG
from mist.config.problem import Problem
from mist.config.suggest import GUESSES, nearest
from mist.config.value import KeyPath, dotted

_FILE = "_FILE"
_LARGEST = 1 << 20  # bytes of a secret's file; a device has no end


class Environment:
    """The variables that start with a prefix.

    Args:
        root: what the configuration may hold.
        prefix: as `normal_prefix` gives it.
        variables: all there are.

    Attributes:
        problems: what is wrong with them.
        unknown: those that mean no field.
    """

    def __init__(self, root: Section, prefix: str, variables: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.unknown: list[Problem] = []
        self._root = root
        self._prefix = prefix
        self._variables = variables

    def entries(self, tree: dict[str, Any]) -> Iterator[Entry]:
        """What the variables say, outer tables before what is in them, and tags first of all.

        Args:
            tree: the configuration so far, with every entry that was yielded laid into it: it
                tells which member of a union is meant, and how existing keys are spelled.
        """
        for name in sorted(self._names(), key=self._turn):
            found = self._find(name, tree)
            if found:
                yield Entry(*found, self._variables[name], Origin("variable", name))
            elif name.endswith(_FILE) and (found := self._find(name.removesuffix(_FILE), tree)):
                yield from self._from_file(name, *found)
            else:
                self._report_unknown(name)

    def _names(self) -> list[str]:
        size, prefix = len(self._prefix), self._prefix
        return [name for name in self._variables if name[:size].upper() == prefix != name]

    def _find(self, name: str, tree: Any) -> tuple[KeyPath, Node] | None:
        if not name.startswith(self._prefix):
            return None
        rest = name[len(self._prefix) :]
        return self._root.variables.get(rest) or find(self._root, rest, tree, VARIABLES)

    def _turn(self, name: str) -> tuple[bool, int]:
        found = self._find(name, None)
        is_tag = found is not None and isinstance(found[1], Leaf) and found[1].kind == "tag"
        return not is_tag, name.count("__")

    def _from_file(self, name: str, path: KeyPath, node: Node) -> Iterator[Entry]:
        """The entry of a secret that stands in a file of its own."""
        plain = name.removesuffix(_FILE)
        if not node.secret:
            self._report_unknown(name)
        elif plain in self._variables:
            yield self._wrong(path, node, name, f"{plain} is set too: unset one of the two")
        else:
            try:
                text = _read_secret(self._variables[name])
            except (OSError, ValueError) as exc:
                why = getattr(exc, "strerror", None) or exc
                yield self._wrong(
                    path, node, name, f"{self._variables[name]!r} cannot be read: {why}"
                )
            else:
                yield Entry(path, node, text, Origin("variable", name))

    def _wrong(self, path: KeyPath, node: Node, name: str, message: str) -> Entry:
        origin = Origin("variable", name)
        self.problems.append(Problem(path=dotted(path), message=message, origin=origin))
        return Entry(path, node, WRONG, origin)

    def _report_unknown(self, name: str) -> None:
        if not self._prefix:
            return
        known = (variable_name(self._prefix, path) for path, _ in leaves(self._root))
        suggestion = nearest(name, known) if len(self.unknown) < GUESSES else ""
        message = "unknown variable" + (f"; did you mean {suggestion}?" if suggestion else "")
        origin = Origin("variable", name)
        self.unknown.append(Problem(path="", message=message, origin=origin, suggestion=suggestion))


def normal_prefix(prefix: str) -> str:
    """What variables start with: `app`, `my-app`, `APP_` -> `APP_`, `MY_APP_`, `APP_`."""
    words = re.sub(r"[^A-Z0-9]", "_", prefix.upper()).rstrip("_")
    return f"{words}_" if words else ""


def variable_name(prefix: str, path: KeyPath) -> str:
    """The variable for a path; the prefix is as `normal_prefix` gives it."""
    return prefix + "__".join(segment(str(key)) for key in path)


def _read_secret(file: str) -> str:
    """The text of a file, without the line end that editors put behind it."""
    with open(file, "rb") as stream:  # noqa: PTH123  # pathlib takes long to load
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    text = data.decode("utf-8-sig")
    return text.removesuffix("\n").removesuffix("\r")
