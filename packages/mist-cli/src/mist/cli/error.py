"""What can be wrong with a command line, and with the program that reads it."""

from mist.errors import Code, MistError


class UsageError(MistError):
    """The command line, or a variable that stands in for a flag, is wrong; exit status 2.

    A `run` may raise it for what only it can check.

    Args:
        message: what is wrong, and how to put it right.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Code.VALIDATION, message)


class DeclarationError(MistError, LookupError):
    """The program declares commands and flags that clash, or asks for one it never declared.

    Args:
        message: what is wrong with the program.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Code.INTERNAL, message)
