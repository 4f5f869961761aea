"""Text that is safe to show, and how many terminal columns it takes."""

# Characters that move the cursor, end a line or reorder what is shown: C0, DEL and C1 controls,
# U+2028 and U+2029, bidirectional embeddings, overrides and isolates (Unicode UAX #9).
_UNSAFE = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _UNSAFE} | _SURROGATES
_VISIBLE = {code: ascii(chr(code))[1:-1] for code in _UNSAFE} | _SURROGATES


def visible(text: str, encoding: str = "utf-8") -> str:
    r"""Return `text` as one line that cannot control a terminal: controls show as `\n`, `\x1b`.

    What `encoding` cannot express shows as an escape as well.
    """
    if not text.isprintable():
        text = text.translate(_VISIBLE)
    if not text.isascii() and not is_unicode(encoding):
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def columns(text: str) -> int:
    """Return how many terminal columns `text`, free of control characters, takes.

    East Asian wide characters take two, combining characters none, an emoji sequence two.
    """
    if text.isascii():
        return len(text)
    # Costs some ten milliseconds to load, and most tables are ASCII.
    from rich.cells import cell_len  # noqa: PLC0415  # only for text that needs it

    return cell_len(text)


def cropped(text: str, width: int, encoding: str) -> str:
    """Return `text` if it fits into `width` columns, else its beginning and an ellipsis."""
    if columns(text) <= width:
        return text
    from rich.cells import set_cell_size  # noqa: PLC0415  # only terminals crop, and they have it

    ellipsis = "…" if is_unicode(encoding) else "..."
    return set_cell_size(text, max(0, width - len(ellipsis))).rstrip() + ellipsis


def is_unicode(encoding: str) -> bool:
    """Return whether `encoding` can express every character."""
    return encoding.lower().startswith("utf")
