"""The one error this package raises."""


class OutputError(ValueError):
    """A value or an argument that cannot be written.

    Args:
        message: What is wrong and how to put it right.
        path: Where inside the value, as in `$.results[2].score`; None if the whole call is wrong.
    """

    code: str = "validation"
    """The standard code: what exit and HTTP statuses are derived from."""

    def __init__(self, message: str, path: str | None = None) -> None:
        super().__init__(message if path is None else f"{path}: {message}")
        self.path = path

    def __reduce__(self) -> tuple[type["OutputError"], tuple[str], dict[str, str | None]]:
        return type(self), (str(self),), {"path": self.path}
