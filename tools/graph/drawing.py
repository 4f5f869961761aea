"""The graph as text."""

from graphlib import TopologicalSorter

from tools.graph.code import Graph
from tools.graph.cycles import edges


def draw(graph: Graph) -> str:
    """Draw a graph without cycles: layer by layer, each with what it needs."""
    needs = {name: sorted(siblings) for name, siblings in edges(graph).items()}
    layers: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        layers[name] = 1 + max((layers[each] for each in needs[name]), default=-1)
    width = max(map(len, layers))
    lines: list[str] = []
    for layer in range(max(layers.values()) + 1):
        lines.append(f"layer {layer}")
        for name in sorted(each for each, at in layers.items() if at == layer):
            code = graph.codes[name]
            siblings = set(graph.workspace.distributions)
            outside = sorted({e.name for e in code.declared if e.name not in siblings})
            needed = ", ".join([*needs[name], *(f"[{each}]" for each in outside)])
            planned = "" if code.distribution.has_code else "(metadata only)"
            lines.append(f"  {name:<{width}}  {needed or planned or '-'}".rstrip())
    with_code = len(graph.workspace.with_code())
    modules = sum(len(code.sources) for code in graph.codes.values())
    count = sum(map(len, needs.values()))
    lines.append(
        f"{len(layers)} distributions, {with_code} with code, {modules} modules, {count} edges: "
        "declared == imported == allowed"
    )
    return "\n".join(lines)
