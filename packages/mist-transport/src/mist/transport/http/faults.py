"""Why a request had no answer, or a bad one, in words that say what to do about it."""

import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp

from mist.transport.errors import TransportError, TransportTimeout

_MOST_DIGITS = 10  # of Retry-After: more than three centuries are no advice
_MOST_SHOWN = 200  # characters of what a peer brought about


def explain(exc: Exception, name: str, timeout: float) -> TransportError:
    """Return the error for a request that had no answer.

    Args:
        exc: What aiohttp raised.
        name: What was posted to.
        timeout: The bound on the request, in seconds.
    """
    if isinstance(exc, TimeoutError):
        return TransportTimeout(f"{name} did not answer within {timeout:g} seconds")
    tls = _tls_fault(exc)
    if tls is not None:
        return TransportError(_explain_tls(tls, name), code="auth")
    if isinstance(exc, aiohttp.ClientConnectorError):
        reason = _reason(exc.os_error)
        return TransportError(f"cannot connect to {name}: {reason}")
    if isinstance(exc, aiohttp.ClientResponseError):
        reason = " ".join(exc.message.split())[:_MOST_SHOWN]
        return TransportError(f"{name} does not answer in HTTP: {reason}", code="protocol")
    if isinstance(exc, ValueError):
        return TransportError(f"cannot post to {name}: {exc}", code="validation")
    return TransportError(f"lost the connection to {name} before it answered: {exc}")


def status_line(status: int) -> str:
    """Return a status with its name, such as `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for (RFC 9110, section 10.2.3), if it does."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= _MOST_DIGITS else None
    with suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(value)
        # A date without a zone is in UTC, as HTTP dates are.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return None


def _reason(exc: OSError) -> str:
    # Where the system gave a number, asyncio's own text says less than the system's.
    if isinstance(exc, ConnectionError) and exc.errno:
        return os.strerror(exc.errno)
    return exc.strerror or str(exc)


def _explain_tls(fault: ssl.SSLError, name: str) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {name} does not verify: {fault.verify_message};"
            " if it is to be trusted, give the authority that signed it as ca_file="
        )
    return (
        f"no TLS with {name}: {fault.reason or fault};"
        " it may want a client certificate (cert_file=), or speak no TLS"
    )


def _tls_fault(exc: BaseException | None) -> ssl.SSLError | None:
    """Find the TLS error that aiohttp's error, itself one by name only, was made from."""
    while exc is not None:
        inner = getattr(exc, "certificate_error", None) or getattr(exc, "os_error", None)
        if inner is None and isinstance(exc, ssl.SSLError):
            return exc
        exc = inner or exc.__cause__
    return None
