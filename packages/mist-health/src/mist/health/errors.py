"""What is raised at those who register checks, and by checks themselves."""


class HealthError(ValueError):
    """A check that cannot be registered, or is not registered.

    `code` is `validation` or `not_found`.
    """

    def __init__(self, message: str, code: str = "validation") -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return self.message


class Unhealthy(Exception):
    """Raise it in a check to choose the words that probes show, to strangers too.

    Of any other exception a probe shows type and text, or nothing where the handler was made
    with `details=False`; the text of this one is always shown as it is.
    """

    code = "unavailable"
