"""What the connections of a server share."""

import asyncio
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mist.server.asgi import ASGIApp
from mist.server.limits import Limits
from mist.server.logger import Log


@dataclass(slots=True, kw_only=True)
class Service:
    """The application, its limits and logs, and how far its end has come.

    Attributes:
        app: What answers requests.
        state: What it keeps for them since its start.
        config: How uvicorn speaks HTTP.
        shared: Where uvicorn keeps the connections and the tasks that answer.
        connection_lost: Set whenever one of the connections is.
        is_ending: Every response is the last of its connection, and says so.
        is_leaving: Nobody listens any more: a connection without a request is closed.
    """

    app: ASGIApp
    state: dict[str, Any]
    limits: Limits
    log: Log
    access_log: Log | None
    config: uvicorn.Config
    shared: ServerState
    connection_lost: asyncio.Event
    is_ending: bool = False
    is_leaving: bool = False
