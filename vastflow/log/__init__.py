"""What is said while the rivers flow, and how is it said safely?

Engine lines and the user's own lines carry the same fields, are masked and escaped alike, and go where the
application wants them. Nothing is configured globally unless `setup()` is called.
"""

from vastflow.log.configuration import reset, setup
from vastflow.log.escapes import escape, escape_controls
from vastflow.log.fields import CALL_FIELDS, BodyFields, StdlibFields, add_call_fields, in_body, leave
from vastflow.log.logger import Log, get_logger
from vastflow.log.masking import MASK, Masker, mask_secrets
from vastflow.log.sink import Line, LineSink, keep_lines, sinks

__all__ = [
    "CALL_FIELDS",
    "MASK",
    "BodyFields",
    "Line",
    "LineSink",
    "Log",
    "Masker",
    "StdlibFields",
    "add_call_fields",
    "escape",
    "escape_controls",
    "get_logger",
    "in_body",
    "keep_lines",
    "leave",
    "mask_secrets",
    "reset",
    "setup",
    "sinks",
]
