"""Cycles among the distributions, by declaration or by import."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from tools.graph.code import Graph
from tools.graph.failure import Failure
from tools.workspace import Place


def edges(graph: Graph) -> dict[str, dict[str, Place]]:
    """Map each distribution to the siblings it needs, with the line that says so."""
    found: dict[str, dict[str, Place]] = {}
    for name, code in graph.codes.items():
        needs = found.setdefault(name, {})
        for stated in graph.workspace.siblings(code.declared):
            needs.setdefault(stated.name, stated.place)
        for each in code.imports:
            owner = graph.owner(each.module) if each.top == "mist" else None
            if owner not in {None, name}:
                needs.setdefault(str(owner), each.place)
    return found


def check_cycles(graph: Graph) -> Iterator[Failure]:
    """Yield one failure for a cycle, at an edge of it, naming every edge."""
    needs = edges(graph)
    sorter = TopologicalSorter({name: sorted(siblings) for name, siblings in needs.items()})
    try:
        sorter.prepare()
    except CycleError as exc:
        # Reported from what is needed to what needs it.
        ring = list(reversed(exc.args[1]))
        places = [needs[a][b] for a, b in pairwise(ring)]
        yield Failure(
            min(places),
            f"a cycle: {' -> '.join(ring)}",
            f"take one edge out: {', '.join(map(str, places))}",
        )
