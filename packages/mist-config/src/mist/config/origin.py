"""Where a value comes from."""

from typing import Literal

import msgspec

from mist.config.value import printable


class Origin(msgspec.Struct, frozen=True):
    """One place that a value comes from, or that a problem is in.

    Attributes:
        kind: `file`, `variable`, `flag`, `override` (given to `load`), `mapping` (given to
            `decode`), `code` (set in the program) or `default`.
        name: the file's path, the variable, the flag with its dashes, the override's path.
        line: in the file, from 1; None where it is not known, or there is none.
        column: in the line, from 1; only for what is wrong with the TOML itself.
    """

    kind: Literal["file", "variable", "flag", "override", "mapping", "code", "default"]
    name: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """`app.toml:7`, `APP_DB__HOST`, `--db-host`, `default` ..."""
        name = printable(self.name)
        if self.kind == "override":
            return f"override {name}"
        numbers = "".join(f":{n}" for n in (self.line, self.column) if n is not None)
        return name + numbers if name else self.kind
