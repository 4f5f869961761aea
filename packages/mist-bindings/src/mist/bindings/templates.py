"""What a client is made from: text with holes for what depends on the protocol."""

import re
from importlib.resources import files

_HOLE = re.compile(r"@@(\w+)@@")


def fill(template: str, **parts: str) -> str:
    """Return a file of `templates/` with each `@@name@@` replaced.

    Args:
        template: The path below `templates/`, such as `python/mist_client.py.in`.
        parts: What to put in place of each hole; every hole has one, and every part a hole.
    """
    text = files("mist.bindings").joinpath("templates", *template.split("/")).read_text("utf-8")
    holes = set(_HOLE.findall(text))
    if holes != set(parts):
        raise ValueError(f"{template}: holes {sorted(holes)}, parts {sorted(parts)}")
    return _HOLE.sub(lambda hole: parts[hole[1]], text)
