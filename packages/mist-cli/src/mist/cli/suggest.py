"""Did you mean ...?"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(typed: str, names: Iterable[str], otherwise: str) -> str:
    """The question that names the nearest of `names`, or `otherwise` where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a typing error needs it

    nearest = get_close_matches(typed, list(names), n=1)
    return f"did you mean {nearest[0]}?" if nearest else otherwise
