"""The graph as text."""

from graphlib import TopologicalSorter
from itertools import groupby

from tools.graph.code import Graph
from tools.graph.cycles import edges


def draw(graph: Graph) -> str:
    """Draw a graph without cycles, and count what is in it."""
    with_code = len(graph.workspace.with_code())
    modules = sum(len(code.sources) for code in graph.codes.values())
    count = sum(map(len, edges(graph).values()))
    return (
        f"{draw_layers(graph)}\n{len(graph.codes)} distributions, {with_code} with code, "
        f"{modules} modules, {count} edges: declared == imported == allowed"
    )


def draw_layers(graph: Graph) -> str:
    """Draw layer by layer, each distribution with what it needs."""
    needs = edges(graph)
    width = max(map(len, needs))
    lines: list[str] = []
    for layer, names in groupby(layered(graph).items(), lambda each: each[1]):
        lines.append(f"layer {layer}")
        for name, _ in names:
            needed = [*sorted(needs[name]), *(f"[{each}]" for each in outside(graph, name))]
            planned = "" if graph.codes[name].distribution.has_code else "(metadata only)"
            lines.append(f"  {name:<{width}}  {', '.join(needed) or planned or '-'}".rstrip())
    return "\n".join(lines)


def layered(graph: Graph) -> dict[str, int]:
    """Map each distribution to one more than the highest layer it needs; sorted by both."""
    needs = {name: sorted(siblings) for name, siblings in edges(graph).items()}
    layers: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        layers[name] = 1 + max((layers[each] for each in needs[name]), default=-1)
    return dict(sorted(layers.items(), key=lambda each: (each[1], each[0])))


def outside(graph: Graph, name: str) -> list[str]:
    """List what a distribution's code takes from outside, extras included."""
    declared = {each.name for each in graph.codes[name].declared}
    return sorted(declared - set(graph.workspace.distributions))
