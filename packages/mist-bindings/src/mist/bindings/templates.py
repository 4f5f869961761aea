"""What a client is made from: text with holes for what depends on the protocol."""

import re
from pathlib import Path
from typing import Final

_TEMPLATES: Final = Path(__file__).parent / "templates"
_HOLE: Final = re.compile(r"@@(\w+)@@")


def fill(*templates: str, **parts: str) -> str:
    """Return files of `templates/`, one after the other, with each `@@name@@` replaced.

    Args:
        templates: Paths below `templates/`, such as `python/http.py.in`; two empty lines come
            between them.
        parts: What to put in place of each hole; every hole has one, and every part a hole.
    """
    text = "\n\n".join((_TEMPLATES / template).read_text("utf-8") for template in templates)
    holes = set(_HOLE.findall(text))
    if holes != set(parts):
        raise ValueError(f"{templates}: holes {sorted(holes)}, parts {sorted(parts)}")
    return _HOLE.sub(lambda hole: parts[hole[1]], text)
