"""Structured logs: one line an event, with tenant, correlation and command id from the context, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor

from infra.runtime.secret import MASK, Secret
from infra.runtime.settings import Settings

_SECRET_NAMES: Final = re.compile(
    r"(^|[_\-.])(password|passwd|pwd|secret|token|authorization|cookie|dsn)([_\-.]|$)"
    r"|(^|[_\-.])(api|application|app|routing|integration|dd)[_\-]?(api|application|app)?[_\-]?key$",
    re.IGNORECASE,
)
_URL_PASSWORD: Final = re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE)
_DSN_PASSWORD: Final = re.compile(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'\"]+)", re.IGNORECASE)
_NOISY: Final = ("aiokafka", "faust", "mode", "elastic_transport", "httpx", "uvicorn.access")


def configure(settings: Settings) -> None:
    """Send this process' logs, the standard library's too, to stderr in the form that `settings` asks for."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        mask,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if settings.log_format == "console"
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level_number)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(settings.log_level_number, logging.WARNING))
    logging.captureWarnings(capture=True)
    structlog.contextvars.clear_contextvars()
    if settings.role:
        structlog.contextvars.bind_contextvars(role=settings.role)


def logger(name: str, **bound: Any) -> FilteringBoundLogger:
    """Return a logger whose lines say `logger=name` and what is bound."""
    made: FilteringBoundLogger = structlog.get_logger(name, **bound)
    return made


@contextmanager
def context(
    *, tenant_id: str | None = None, correlation_id: str | None = None, command_id: str | None = None
) -> Iterator[None]:
    """Put ids on every line that is logged inside, in this task or thread; None leaves what is there."""
    given = {"tenant_id": tenant_id, "correlation_id": correlation_id, "command_id": command_id}
    # Not by `bound_contextvars`, which looks through every variable of the context, at each request several times.
    held = structlog.contextvars.bind_contextvars(**{name: value for name, value in given.items() if value is not None})
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**held)


def debugging(name: str) -> bool:
    """Whether this logger's debug lines are written: for what would be made for each of many records and thrown away."""
    return logging.getLogger(name).isEnabledFor(logging.DEBUG)


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: what is secret by its name, its type or its place in a URL or DSN is shown as `***`."""
    for name, value in event.items():
        event[name] = MASK if value and _SECRET_NAMES.search(name) else _masked(value)
    return event


def _masked(value: Any) -> Any:
    match value:
        case Secret():
            return str(value)
        case str():
            return mask_text(value)
        case dict():
            return {
                name: MASK if inner and isinstance(name, str) and _SECRET_NAMES.search(name) else _masked(inner)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_masked(inner) for inner in value]
        case BaseException():
            return mask_text(repr(value))
        case _:
            return value


def mask_text(text: str) -> str:
    """Return a text without the passwords of the URLs and DSNs in it."""
    return _DSN_PASSWORD.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1:{MASK}@", text))


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=_shown, option=orjson.OPT_NON_STR_KEYS).decode()


def _shown(value: Any) -> str:
    """For what JSON has no form of."""
    return mask_text(str(value))
