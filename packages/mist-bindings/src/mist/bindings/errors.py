"""What a user of the bindings can meet."""


class BindingsError(Exception):
    """A client cannot be generated, or not be put where it is to go; the text says what to do.

    Attributes:
        code: The standard error code: `validation` for bad input, `conflict` for a file that
            is in the way, `not_found` for a language or a module that is not there.
    """

    def __init__(self, message: str, *, code: str = "validation") -> None:
        super().__init__(message)
        self.code = code
