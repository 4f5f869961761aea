"""The graph as a picture, in SVG."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from xml.sax.saxutils import escape  # nosec B406  # parses nothing

from tools.graph.code import Graph
from tools.graph.cycles import edges
from tools.graph.drawing import layered, outside

_WIDTH, _HEIGHT = 240, 44
_ACROSS, _DOWN = 330, 58
_MARGIN = 24
_STYLE = """
    .page { fill: #ffffff } .box { fill: #f2f7f6; stroke: #4f8f87 } .edge { stroke: #8fb3ae }
    .name { fill: #12302c } .takes { fill: #56706c } .head { fill: #56706c }
    @media (prefers-color-scheme: dark) {
      .page { fill: #12191a } .box { fill: #1b2627; stroke: #5fa79e } .edge { stroke: #44706a }
      .name { fill: #e3efed } .takes, .head { fill: #9db5b1 }
    }
    text { font-family: system-ui, sans-serif } .name { font-size: 14px; font-weight: 600 }
    .takes { font-size: 11px } .head { font-size: 13px } .edge { fill: none; stroke-width: 1.5 }
"""


def picture(graph: Graph) -> str:
    """Draw who needs whom from left to right, and below it those that have nobody."""
    layers = layered(graph)
    needs = edges(graph)
    needed = set(chain.from_iterable(needs.values()))
    alone = [name for name in layers if not needs[name] and name not in needed]
    columns = _columns(layers, needs, alone)
    head = _MARGIN + max(map(len, columns)) * _DOWN + 24
    spots = {**_spots(columns), **_spots_below(alone, head + 14, len(columns))}
    width = max(x for x, _ in spots.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in spots.values()) + _HEIGHT + _MARGIN
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" role="img">',
        "<title>Which mist distribution needs which</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" {size} rx="8"/>',
        *(_edge(spots[name], spots[each]) for name in layers for each in sorted(needs[name])),
        f'<text class="head" x="{_MARGIN}" y="{head}">need no other, and no other needs them:</text>',
        *chain.from_iterable(_box(name, outside(graph, name), spots[name]) for name in layers),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _spots(columns: list[list[str]]) -> dict[str, tuple[int, int]]:
    """Place each column's boxes around the middle of the highest column."""
    highest = max(map(len, columns))
    return {
        name: (_MARGIN + _ACROSS * x, _MARGIN + _DOWN * (highest - len(column)) // 2 + _DOWN * y)
        for x, column in enumerate(columns)
        for y, name in enumerate(column)
    }


def _spots_below(names: list[str], top: int, beside: int) -> dict[str, tuple[int, int]]:
    """Place boxes row by row."""
    return {
        name: (_MARGIN + _ACROSS * (place % beside), top + _DOWN * (place // beside))
        for place, name in enumerate(names)
    }


def _columns(
    layers: Mapping[str, int], needs: Mapping[str, Collection[str]], alone: list[str]
) -> list[list[str]]:
    """Give each layer a column, the highest first, each box at the height of what it needs."""
    columns: list[list[str]] = []
    for layer in range(max(layers.values()) + 1):
        names = [name for name, at in layers.items() if at == layer and name not in alone]
        right = columns[0] if columns else []

        def height(name: str, right: list[str] = right) -> list[int]:
            return sorted(right.index(each) for each in needs[name] if each in right)

        columns.insert(0, sorted(names, key=height))
    return columns


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    to_x, to_y = end[0], end[1] + _HEIGHT // 2
    bend = (_ACROSS - _WIDTH) // 2 + (to_x - x) // 4
    return f'<path class="edge" d="M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"/>'


def _box(name: str, takes: list[str], spot: tuple[int, int]) -> Iterator[str]:
    x, y = spot
    yield f'<rect class="box" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
    yield f'<text class="name" x="{x + 10}" y="{y + (18 if takes else 27)}">{escape(name)}</text>'
    if takes:
        listed = escape(", ".join(takes))
        yield f'<text class="takes" x="{x + 10}" y="{y + 35}">{listed}</text>'
