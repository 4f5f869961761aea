"""Run inside an isolated environment: print what is there and should not be, or the reverse.

Standard library only. Takes one argument, JSON: `expected` distributions among `workspace`,
modules that must be `present`, modules that must be `absent`.
"""

import importlib
import json
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def check(
    *, workspace: list[str], expected: list[str], present: list[str], absent: list[str]
) -> Iterator[str]:
    """Yield each difference between the environment and what was expected of it."""
    installed = {name: metadata.distribution(name) for name in workspace if _is_installed(name)}
    for name in sorted(set(installed) ^ set(expected)):
        yield f"{name} is {'installed' if name in installed else 'not installed'}"
    for name, distribution in installed.items():
        origin = json.loads(distribution.read_text("direct_url.json") or "{}").get(
            "url", "an index"
        )
        if not origin.startswith("file:"):
            yield f"{name} came from {origin}, not from the wheel built here"
    prefix = Path(sys.prefix).resolve()
    for module in present:
        try:
            loaded = importlib.import_module(module)
        except Exception as exc:  # noqa: BLE001  # whatever it raises is the finding
            yield f"{module} does not import: {type(exc).__name__}: {exc}"
            continue
        if prefix not in Path(str(loaded.__file__)).resolve().parents:
            yield f"{module} was imported from outside the environment: {loaded.__file__}"
    for module in absent:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as exc:
            if exc.name not in {module, "mist"}:
                yield f"{module} is there, and lacks {exc.name}"
        else:
            yield f"{module} is importable, though it is outside the declared closure"


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    problems = list(check(**json.loads(sys.argv[1])))
    print(*problems, sep="\n")
    sys.exit(bool(problems))
