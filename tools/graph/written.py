"""Where the graph is drawn for readers: a block of ARCHITECTURE.md, and a picture."""

import re
from collections.abc import Mapping
from pathlib import Path

from tools.graph.code import Graph
from tools.graph.drawing import draw_layers
from tools.graph.picture import picture

PAGE = Path("ARCHITECTURE.md")
PICTURE = Path("docs/graph.svg")
_BLOCK = re.compile(r"(?<=<!-- graph -->\n).*?(?=<!-- end -->)", re.DOTALL)


def written(graph: Graph) -> Mapping[Path, str]:
    """Return what the files are to hold, by their paths below the workspace's root.

    Raises:
        ValueError: The page has no block for the graph.
    """
    block = f"\n```text\n{draw_layers(graph)}\n```\n\n"
    text = (graph.workspace.root / PAGE).read_text(encoding="utf-8")
    page, found = _BLOCK.subn(lambda _: block, text)
    if found != 1:
        raise ValueError(f"{PAGE}: put <!-- graph --> and <!-- end --> where the graph belongs")
    return {PAGE: page, PICTURE: picture(graph)}
