"""Making a lane of any text.

The alphabet is that of image tags, in which neither `.` nor `-` comes first.
"""

import hashlib
import re

# The most characters that a lane has.
LONGEST = 64

# How many hex digits of the hash are appended.
_HASH = 8

# What stands before the hash where nothing of the text can.
_NOTHING = "lane"

_LANE = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]{0,%d}" % (LONGEST - 1))
_MISFITS = re.compile(rb"[^A-Za-z0-9_.-]+")


def is_lane(text: bytes) -> bool:
    """Whether `text` can be a lane as it is."""
    return _LANE.fullmatch(text) is not None


def one(text: bytes) -> str:
    """Make the lane of `text`: itself where that can be, or else what is left of it with a hash."""
    return text.decode("ascii") if is_lane(text) else with_hash(text, text)


def with_hash(shown: bytes, whole: bytes) -> str:
    """Join `shown`, as far as it can be part of a lane, and the hash of `whole`."""
    # A run of other bytes becomes one dash, but none behind another dash.
    text = re.sub(rb"(-?)" + _MISFITS.pattern, b"-", shown).decode("ascii")
    text = text.lstrip("-.")[: LONGEST - _HASH - 1].rstrip("-") or _NOTHING
    return f"{text}-{hashlib.sha256(whole).hexdigest()[:_HASH]}"
