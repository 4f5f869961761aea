"""What can be wrong with a message, and with what a program wants of one."""


class ProtocolError(ValueError):
    """Bytes or values that are not a MIST message; the text names the place and what was expected.

    Attributes:
        code: The standard error code, `protocol`.
    """

    code: str = "protocol"


class MessageTooLarge(ProtocolError):
    """A message beyond the size limit.

    Attributes:
        size: Size of what was refused, in bytes; a lower bound where reading stopped early.
        limit: The limit in force, in bytes.
    """

    def __init__(self, size: int, limit: int, what: str = "message") -> None:
        super().__init__(size, limit, what)
        self.size = size
        self.limit = limit
        self.what = what

    def __str__(self) -> str:
        return f"{self.what} of {self.size} bytes is over the limit of {self.limit} bytes"


class UnsupportedVersion(ProtocolError):
    """A protocol version, or a range of them, that this implementation does not speak."""


class PayloadTypeError(ValueError):
    """A class cannot be registered as the payload of a message type; the text says why.

    Attributes:
        code: The standard error code: `conflict` where another class holds the type, else
            `validation`.
    """

    code: str = "validation"
