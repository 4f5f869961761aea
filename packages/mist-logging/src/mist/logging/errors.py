"""The one error this package raises."""


class LoggingError(ValueError):
    """An argument that no logger can be made with; log calls themselves never raise."""

    code: str = "validation"
    """The standard code: what exit and HTTP statuses are derived from."""
