"""`hatch run graph`: exit status 1 and every failure with file, line and remedy, or the graph.

With `--write`, the graph is also drawn anew in ARCHITECTURE.md and docs/graph.svg.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.graph.architecture import TABLE, Architecture
from tools.graph.check import check
from tools.graph.code import Graph
from tools.graph.drawing import draw
from tools.graph.providers import Providers
from tools.graph.written import written
from tools.workspace import ROOT, Workspace, WorkspaceError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the check from the command line."""
    parser = argparse.ArgumentParser(prog="graph", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the workspace to check")
    parser.add_argument("--table", type=Path, default=TABLE, help="the architecture's table")
    parser.add_argument("--write", action="store_true", help="draw it anew in ARCHITECTURE.md too")
    options = parser.parse_args(argv)
    try:
        workspace = Workspace.load(options.root.resolve())
    except WorkspaceError as exc:
        print(exc, file=sys.stderr)
        return 1
    architecture = Architecture.load(options.table.resolve(), workspace.root)
    graph, failures = check(workspace, architecture, Providers.installed())
    if failures:
        print(*failures, sep="\n", file=sys.stderr)
        print(f"{len(failures)} failure{'s' * (len(failures) > 1)}", file=sys.stderr)
        return 1
    print(draw(graph))
    return _write(graph) if options.write else 0


def _write(graph: Graph) -> int:
    try:
        texts = written(graph)
    except (OSError, ValueError) as exc:
        print(exc, file=sys.stderr)
        return 1
    for path, text in texts.items():
        (graph.workspace.root / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
