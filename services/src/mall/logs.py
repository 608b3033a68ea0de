"""One JSON line per log entry on standard output, from structlog and from the standard library alike."""

from __future__ import annotations

import logging
import sys

import structlog

QUIET = ("httpx", "httpcore", "uvicorn.access")
"""Libraries that log every request they make or serve; metrics count those."""


def set_up(service: str) -> None:
    """Configure logging for this process."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _of(service),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _of(service: str) -> structlog.types.Processor:
    def add(_logger: object, _method: str, entry: structlog.types.EventDict) -> structlog.types.EventDict:
        entry.setdefault("service", service)
        return entry

    return add
