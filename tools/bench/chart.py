"""The results as one picture: how many times as good as its peer each row is.

All ratios share one logarithmic axis on which farther to the right is better, whether a row's
target is one of speed or of cost. The picture follows from a record alone, needs no font and no
script, and brings its own background, so that it can be read on a light and on a dark page.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from tools.bench.record import Record
from tools.bench.result import Result

# Where the columns are, in pixels: group, name, the axis from end to end, ratio, target.
_WIDTH = 880
_GROUP, _NAME, _AXIS, _AXIS_END, _RATIO, _TARGET = 16, 122, 438, 706, 772, 784
_TOP, _ROW, _GAP, _BOTTOM = 100, 17, 6, 44
HALF = 4.5  # of a mark, in pixels
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_POWERS = {0.01, 0.1, 1, 10, 100}
_MOST_TICKS = 9  # that fit beside each other

_STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.group, .no { font-weight: 600; }
.small { font-size: 11px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.muted { fill: #59636e; }
.back { fill: #ffffff; }
.band { fill: #f3f5f7; }
.grid { stroke: #d1d9e0; }
.even { stroke: #818b98; }
.target { stroke: #1f2328; stroke-width: 2; }
.bar { stroke-width: 3; stroke-opacity: 0.35; }
.met { fill: #0969da; stroke: #0969da; }
.missed { fill: #ffffff; stroke: #bc4c00; stroke-width: 2; }
.no { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .muted { fill: #9198a1; }
  .back { fill: #0d1117; }
  .band { fill: #161b22; }
  .grid { stroke: #3d444d; }
  .even { stroke: #656c76; }
  .target { stroke: #f0f6fc; }
  .met { fill: #4493f8; stroke: #4493f8; }
  .missed { fill: #0d1117; stroke: #f0883e; }
  .no { fill: #f0883e; }
}
"""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where an advantage stands, from the least to the most that is shown."""

    least: float
    most: float

    @classmethod
    def over(cls, advantages: Sequence[float]) -> "_Axis":
        """Reach from tick to tick around all of them, and around 1."""
        low, high = min([*advantages, 0.5]), max([*advantages, 2.0])
        return cls(
            max((tick for tick in _TICKS if tick <= low), default=low),
            min((tick for tick in _TICKS if tick >= high), default=high),
        )

    def x(self, advantage: float) -> float:
        """Return the place of an advantage, in pixels from the left."""
        share = math.log(advantage / self.least) / math.log(self.most / self.least)
        return _AXIS + share * (_AXIS_END - _AXIS)

    def ticks(self) -> list[float]:
        """Return what is written along it, on a long axis the powers of ten only."""
        ticks = [tick for tick in _TICKS if self.least <= tick <= self.most]
        return ticks if len(ticks) <= _MOST_TICKS else [t for t in ticks if t in _POWERS]


def chart(record: Record) -> str:
    """Draw the results of a run as SVG."""
    results = record.results
    axis = _Axis.over([each for result in results for each in _shown(result)])
    bands: list[str] = []
    rows: list[str] = []
    y = _TOP
    for number, group in enumerate(_grouped(results)):
        high = len(group) * _ROW + _GAP
        if number % 2 == 0:
            box = f'x="8" y="{y}" width="{_WIDTH - 16}" height="{high}" rx="4"'
            bands.append(f'<rect class="band" {box}/>')
        rows.append(_text(_GROUP, y + _GAP / 2 + 13, group[0].row.group, "group"))
        for place, result in enumerate(group):
            rows += _row(result, axis, y + (_GAP + _ROW) / 2 + place * _ROW)
        y += high
    height = y + _BOTTOM
    met = sum(result.met for result in results)
    title = f"mist against its peers: {met} of {len(results)} targets met"
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
            f'<title id="title">{title}</title>',
            f"<style>{_STYLE}</style>",
            f'<rect class="back" width="{_WIDTH}" height="{height}" rx="8"/>',
            _text(_GROUP, 32, title, "title"),
            *_legend(60),
            *bands,
            *_grid(axis, y),
            *rows,
            _text(_GROUP, height - 16, _where(record), "muted small"),
            "</svg>\n",
        ]
    )


def _legend(y: float) -> Iterator[str]:
    yield _mark(_GROUP + 5, y - 4, met=True)
    yield _text(_GROUP + 16, y, "target met", "muted")
    yield _mark(_GROUP + 101, y - 4, met=False)
    yield _text(_GROUP + 112, y, "target missed", "muted")
    yield _line("target", _GROUP + 211, y - 11, _GROUP + 211, y + 2)
    yield _text(_GROUP + 220, y, "target", "muted")
    yield _text(_AXIS, y, "← worse than the peer", "muted")
    yield _text(_AXIS_END, y, "better →", "muted end")
    yield _text(_RATIO, y, "ratio", "muted end")
    yield _text(_TARGET, y, "target", "muted")


def _grid(axis: _Axis, bottom: float) -> Iterator[str]:
    for tick in axis.ticks():
        x = axis.x(tick)
        yield _line("even" if tick == 1 else "grid", x, _TOP, x, bottom)
        for y in (_TOP - 8, bottom + 15):
            yield _text(x, y, f"{tick:g}x", "muted small middle")


def _row(result: Result, axis: _Axis, y: float) -> Iterator[str]:
    """Draw one row around the height `y`."""
    row = result.row
    yield _text(_NAME, y + 4, row.name)
    target = row.target
    yield _text(_TARGET, y + 4, f"{'≥' if target.of_speed else '≤'} {target.bound:g}x", "muted")
    if not result.rounds:
        yield _text(_RATIO, y + 4, "not run", "muted end")
        return
    x, wanted = (axis.x(target.advantage(ratio)) for ratio in (result.ratio, target.bound))
    verdict = "met" if result.met else "missed"
    yield _line(f"{verdict} bar", axis.x(1), y, x, y)
    yield _line("target", wanted, y - 6, wanted, y + 6)
    yield _mark(x, y, met=result.met)
    yield _text(_RATIO, y + 4, f"{result.ratio:.2f}x", "end" if result.met else "no end")


def _mark(x: float, y: float, *, met: bool) -> str:
    """Draw a full circle, or a hollow diamond: the shape tells what the colour does."""
    if met:
        return f'<circle class="met" cx="{x:.1f}" cy="{y:.1f}" r="{HALF - 0.5}"/>'
    corners = f"M{x - HALF:.1f} {y:.1f}l{HALF} {-HALF} {HALF} {HALF} {-HALF} {HALF}z"
    return f'<path class="missed" d="{corners}"/>'


def _line(style: str, x1: float, y1: float, x2: float, y2: float) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line class="{style}" {ends}/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    styled = f' class="{style}"' if style else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}">{escape(text, quote=False)}</text>'


def _shown(result: Result) -> list[float]:
    """What of a row is on the axis."""
    target = result.row.target
    ratios = [target.bound, result.ratio] if result.rounds else [target.bound]
    return [target.advantage(ratio) for ratio in ratios]


def _grouped(results: Sequence[Result]) -> list[list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.row.group, []).append(result)
    return list(groups.values())


def _where(record: Record) -> str:
    cpus = f"{record.cpus} CPUs" if record.cpus else "CPUs unknown"
    return (
        "Ratios of ours to the peer's, the median of rounds taken in turn in one run"
        f" · CPython {record.python} · {record.platform} · {cpus}"
    )
