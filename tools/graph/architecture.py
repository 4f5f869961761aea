"""The architecture's table: who may depend on whom, and on what from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.document import Document
from tools.workspace import Place, normalize

TABLE = Path(__file__).with_name("architecture.toml")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One row of the table."""

    place: Place
    siblings: frozenset[str]
    third_party: frozenset[str]
    chosen: bool
    bundles: frozenset[str]

    def admits(self, sibling: str) -> bool:
        """Tell whether the row lets its distribution depend on that sibling."""
        return "*" in self.siblings or sibling in self.siblings

    def describe_siblings(self) -> str:
        """Name the siblings the row allows, for an error's remedy."""
        return ", ".join(sorted(self.siblings)) or "no sibling"


@dataclass(frozen=True, slots=True)
class Architecture:
    """The whole table."""

    place: Place
    requires_python: str
    heavy: tuple[str, ...]
    rows: Mapping[str, Allowed]

    @classmethod
    def load(cls, path: Path = TABLE, root: Path | None = None) -> "Architecture":
        """Read the table; places are told relative to `root` when the file is below it."""
        document = Document(path)
        shown = path.relative_to(root) if root and path.is_relative_to(root) else path
        workspace = document.data["workspace"]
        return cls(
            place=Place(shown),
            requires_python=workspace["requires-python"],
            heavy=tuple(workspace.get("heavy", ())),
            rows={
                name: Allowed(
                    place=Place(shown, document.line(f"distributions.{name}")),
                    siblings=frozenset(row["siblings"]),
                    third_party=frozenset(map(normalize, row["third-party"])),
                    chosen=row.get("chosen", False),
                    bundles=frozenset(row.get("bundles", ())),
                )
                for name, row in document.data["distributions"].items()
            },
        )
