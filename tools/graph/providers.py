"""Which distribution provides which importable name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata

from tools.workspace import normalize

# For what is not installed where the check runs, and is not imported by its own name.
_KNOWN = {
    "opentelemetry-api": {"opentelemetry"},
    "opentelemetry-exporter-otlp-proto-http": {"opentelemetry"},
    "opentelemetry-proto": {"opentelemetry"},
    "opentelemetry-sdk": {"opentelemetry"},
    "pyyaml": {"yaml"},
}


@dataclass(frozen=True, slots=True)
class Providers:
    """Import names by distribution, and the distributions pytest loads by itself."""

    by_distribution: Mapping[str, frozenset[str]]
    plugins: frozenset[str]

    def import_names(self, distribution: str) -> frozenset[str]:
        """Tell what importing from a distribution looks like in code."""
        installed = self.by_distribution.get(distribution, frozenset())
        known = _KNOWN.get(distribution, set())
        return (installed | known) or frozenset({distribution.replace("-", "_")})

    def provider(self, top: str, among: Iterable[str] = ()) -> str:
        """Name the distribution that provides a top-level name, one of `among` first.

        A name that no installed distribution claims is taken for its own distribution.
        """
        for name in (*among, *self.by_distribution, *_KNOWN):
            if top in self.import_names(name):
                return name
        return normalize(top)

    @classmethod
    def installed(cls) -> "Providers":
        """Ask the environment this runs in."""
        found: dict[str, set[str]] = {}
        for top, names in metadata.packages_distributions().items():
            for name in names:
                found.setdefault(normalize(name), set()).add(top)
        return cls(
            by_distribution={name: frozenset(tops) for name, tops in found.items()},
            plugins=frozenset(
                normalize(entry.dist.name)
                for entry in metadata.entry_points(group="pytest11")
                if entry.dist
            ),
        )
