"""The protocol as an AsyncAPI 3 document."""

import re
from typing import Any, Final

from mist.bindings.inspection import describe
from mist.bindings.mark import notice
from mist.bindings.model import Message, Protocol
from mist.bindings.schemas import DIALECT, Schemas

ASYNCAPI_VERSION: Final = "3.0.0"
_SCHEMA_FORMAT: Final = "application/schema+json;version=draft-2020-12"


def asyncapi(protocol: Protocol | None = None) -> dict[str, Any]:
    """Return the AsyncAPI 3 document: one channel, and a message for each type.

    Args:
        protocol: What to describe; by default every payload that is registered.
    """
    protocol = describe() if protocol is None else protocol
    schemas = Schemas(protocol.records, "#/components/schemas/")
    names = [_key(message) for message in protocol.messages]
    references = [{"$ref": f"#/channels/mist/messages/{name}"} for name in names]
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "MIST protocol",
            "version": protocol.version,
            "description": f"{notice(protocol.version)}\n\nThe envelope and payloads of the MIST stack.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": protocol.http.json,
        "servers": {
            "listener": {
                "host": "{host}",
                "protocol": "http",
                "description": "Any MIST listener.",
                "variables": {"host": {"default": "127.0.0.1:8080"}},
            }
        },
        "channels": {
            "mist": {
                "address": protocol.http.path,
                "title": "MIST messages",
                "description": "One envelope a POST, or JSON lines to a listener that takes them.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            }
        },
        "operations": {
            "send": {
                "action": "send",
                "summary": "Post a message to a listener.",
                "channel": {"$ref": "#/channels/mist"},
                "messages": references,
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            },
            "receive": {
                "action": "receive",
                "summary": "Take a message as a listener; 202 says that it was taken.",
                "channel": {"$ref": "#/channels/mist"},
                "messages": references,
            },
        },
        "components": {
            "messages": {
                _key(each): _message(each, protocol, schemas) for each in protocol.messages
            },
            "schemas": {
                protocol.envelope.name: schemas.of_record(protocol.envelope),
                **schemas.definitions(),
            },
        },
    }


def _key(message: Message) -> str:
    """Return what a message is called in the document, which does not take every type there is."""
    name = message.type.value
    return name if re.fullmatch(r"[A-Za-z0-9._-]+", name) else message.type.name


def _message(message: Message, protocol: Protocol, schemas: Schemas) -> dict[str, Any]:
    record = protocol.record(message.record)
    return {
        "name": message.type.value,
        "title": record.name,
        "summary": record.doc or record.name,
        "contentType": protocol.http.json,
        "payload": {
            "schemaFormat": _SCHEMA_FORMAT,
            "schema": {
                "$schema": DIALECT,
                "allOf": [
                    schemas.reference(protocol.envelope.name),
                    {
                        "properties": {
                            "type": {"const": message.type.value},
                            "payload": schemas.reference(message.record),
                        },
                        "required": ["payload"],
                    },
                ],
            },
        },
    }
