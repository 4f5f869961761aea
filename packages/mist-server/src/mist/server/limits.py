"""What a client may take of the server: time, room, connections."""

from dataclasses import dataclass, fields

from mist.errors import Code
from mist.server.errors import ServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of a server.

    Attributes:
        header_timeout: For a request's head to arrive, and for a TLS handshake, in seconds.
        body_timeout: How long a body may stay behind `min_rate`, in seconds.
        write_timeout: How long the reading of a response may stay behind `min_rate`, in seconds.
        idle_timeout: How long a connection is kept between requests, in seconds.
        min_rate: What a client has to send of a body, and read of a response, in bytes per second.
        max_body_size: Of a request's body, in bytes.
        max_connections: How many are served at once.
    """

    header_timeout: float
    body_timeout: float
    write_timeout: float
    idle_timeout: float
    min_rate: float
    max_body_size: int
    max_connections: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0 and not (field.name in ("min_rate", "max_body_size") and value == 0):
                raise ServerError(
                    Code.VALIDATION, f"{field.name} must be a positive number, got {value!r}"
                )
