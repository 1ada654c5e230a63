"""What time it is: one place to ask, so that a test can answer.

stamp(now())                        "2026-11-22T09:30:00Z", as .cloze/workspace.json has it
parse("2026-11-22T09:30:00Z")       the moment again
"""

from datetime import UTC, date, datetime


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The day where the learner is."""
    return now().astimezone().date()


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> datetime:
    """A moment with its time zone.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment
