"""Did you mean ...?"""

from __future__ import annotations

from mist.cli.error import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def did_you_mean(typed: str, names: Iterable[str], otherwise: str) -> str:
    """The question that names the nearest of `names`, or `otherwise` where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a typing error needs it

    nearest = get_close_matches(typed, list(names), n=1)
    return f"did you mean {nearest[0]}?" if nearest else otherwise


def check_choice(text: str, choices: Sequence[str], source: str) -> None:
    """Raise a UsageError with the nearest of `choices` if `text` is none of them.

    Args:
        text: what was given.
        choices: what may be given; empty for anything.
        source: where, for the error.
    """
    if choices and text not in choices:
        message = f"{source}: expected one of {', '.join(choices)}, got {text!r}"
        raise UsageError("; ".join(filter(None, (message, did_you_mean(text, choices, "")))))
