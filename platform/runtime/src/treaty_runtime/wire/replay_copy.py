"""A dead letter on its way back to the group that gave it up. Pure.

Key, value and event id never change, so that the inbox drops what was handled after all, and one key stays in order. What the
failure left behind is taken off: the record begins its attempts anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from treaty_runtime.clock import EPOCH
from treaty_runtime.errors import RuntimeFault
from treaty_runtime.event import Headers, Record
from treaty_runtime.retry import retry_topic
from treaty_runtime.transport import Outgoing
from treaty_runtime.wire import headers as names
from treaty_runtime.wire.deadletter import ORIGINAL_HEADERS, EXCEPTION_HEADERS
from treaty_runtime.wire.headers import DEAD_LETTER_PREFIX, RETRY_PREFIX

MAX_REPLAYS = 3
