"""Line endings, this system's and the plain newline."""

from mist.platform.system import is_windows

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from typing import AnyStr


def platform_line_ending() -> str:
    r"""Return what ends a line of a text file here: `\r\n` on Windows, elsewhere `\n`."""
    return "\r\n" if is_windows() else "\n"


def normalize_line_endings(data: "AnyStr") -> "AnyStr":
    r"""Return the text or bytes with every `\r\n` as `\n`; a lone `\r` is left alone."""
    if isinstance(data, str):
        return data.replace("\r\n", "\n")
    return data.replace(b"\r\n", b"\n")


def to_platform_line_endings(data: "AnyStr") -> "AnyStr":
    r"""Return the text or bytes with this system's line endings, whichever they had.

    Off Windows the data comes back as it is, `\r\n` included, as mist-go does it.
    """
    if not is_windows():
        return data
    data = normalize_line_endings(data)
    if isinstance(data, str):
        return data.replace("\n", "\r\n")
    return data.replace(b"\n", b"\r\n")
