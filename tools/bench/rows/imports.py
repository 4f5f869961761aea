"""What `import mist.<package>` costs, each time in a fresh process."""

import subprocess
import sys
from collections.abc import Generator, Sequence
from functools import partial
from importlib.util import find_spec

from tools.bench.row import Rows, Unit, at_most
from tools.graph.providers import Providers
from tools.workspace import Workspace

_FLOOR = 0.005  # seconds; for a package without any dependency from outside

ROWS = Rows("imports")


def _seconds(modules: str) -> float:
    code = (
        "import time; started = time.perf_counter(); "
        f"import {modules}; print(time.perf_counter() - started)"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], stdout=subprocess.PIPE, check=False)
    if ran.returncode:
        raise RuntimeError(f"`import {modules}` fails")
    return float(ran.stdout)


def _import(module: str, dependencies: Sequence[str]) -> Generator[tuple[float, float]]:
    alone = ", ".join(dependencies)
    if _seconds(module) and alone:  # compiles, so that no round has to
        _seconds(alone)
    while True:
        yield _seconds(module), _seconds(alone) if alone else _FLOOR


def _is_namespace(name: str) -> bool:
    """Tell whether a name, such as opentelemetry, loads nothing by itself."""
    spec = find_spec(name)
    return spec is not None and spec.origin is None


def _declare() -> None:
    workspace, providers = Workspace.load(), Providers.installed()
    for distribution in workspace.with_code():
        outside = [
            each.name
            for each in distribution.dependencies
            if each.name not in workspace.distributions
        ]
        names = [
            min(n for n in providers.import_names(each) if not n.startswith("_"))
            for each in outside
        ]
        names = [name for name in names if not _is_namespace(name)]
        ROWS.rounds(
            f"import {distribution.module}",
            at_most(1.5),
            against=f"import {', '.join(names)}" if names else f"{_FLOOR * 1000:g} ms",
            unit=Unit.SECONDS,
            peers=outside,
            rounds=15,
        )(partial(_import, distribution.module, names))


_declare()
