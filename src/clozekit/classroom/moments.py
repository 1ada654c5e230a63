"""Times as the platforms write them, with a time zone or not at all: an hour off may cost a student a grade.

moment("2026-04-26 17:34:00.861687000 Z")                     Gradescope
moment("2026-01-30 15:30:10.204921 America/New_York")         nbgrader
moment("2026-01-30-15-30-10")                                 nbgrader, collected; UTC, as it takes what says nothing
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T -](\d\d)[:-](\d\d)[:-](\d\d)(?:\.(\d{1,9}))? ?(\S*)")
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
ZONE = re.compile(r"[A-Za-z_]+(/[A-Za-z_+-]+){1,2}")


def moment(text: str) -> datetime | None:
    """None if it is no time, or one in a zone that cannot be told from an abbreviation such as EST."""
    if not (time := TIME.fullmatch(text)):
        return None
    micro = (time[7] or "").ljust(6, "0")[:6]
    try:
        year, month, day, hour, minute, second = map(int, time.group(1, 2, 3, 4, 5, 6))
        plain = datetime(year, month, day, hour, minute, second, int(micro))
        if time[8] in ("", "Z", "UTC", "UCT", "GMT"):
            return plain.replace(tzinfo=UTC)
        if offset := OFFSET.fullmatch(time[8]):
            ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            return plain.replace(tzinfo=timezone(ahead if offset[1] == "+" else -ahead))
        return plain.replace(tzinfo=ZoneInfo(time[8])) if ZONE.fullmatch(time[8]) else None
    except (ValueError, OSError, KeyError):  # no such day, no such zone
        return None
