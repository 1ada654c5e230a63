"""What `cloze watch` shows on a terminal, and what its keys do.

normalization/rms_norm  RMSNorm
normalization/rms_norm.py    checked at 14:02:31, 0.21 s

✗ values: rows as small as eps ...            the report; if it is too long, without its middle
Next: ...                                     what the last key asked for
h hint   n next   ? help   ...
"""

import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from clozekit import explaining, hints, interviewing, render
from clozekit.catalog import Entry
from clozekit.cli.common import console, no_help_in_interview, remember_hint, unwritable_is_told
from clozekit.cli.watch import record, solved
from clozekit.course import following
from clozekit.describe import describe
from clozekit.errors import ClozeError
from clozekit.exercise import LEVELS, Exercise, Words
from clozekit.phrases import say
from clozekit.screen import Screen
from clozekit.state import Progress
from clozekit.watching import Began, Failed, Target, Told, Watching
from clozekit.workspace import Workspace

OTHER = {"en": ("zh", "中文"), "zh": ("en", "English")}
LAST = 4  # lines of the end of a report that is shortened: the verdict, and what to do


class Page:
    """The state of the page. `note`: what the last key asked for, in whatever language is chosen now."""

    def __init__(self, screen: Screen, watching: Watching, workspace: Workspace | None, language: str):
        self.screen, self.watching, self.workspace, self.language = screen, watching, workspace, language
        self.entries = watching.catalog.entries()
        self.target: Target
        self.exercise: Exercise
        self.outcome: Told | Failed | None = None
        self.status: Callable[[], str] = self.busy
        self.note: Callable[[], str] = str
        self.keys = {
            "h": self.hint,
            "n": self.next,
            "m": self.mistake,
            "l": self.level,
            "g": self.other_language,
            "?": self.help,
        }

    def run(self, target: Target) -> None:
        """Look at a file, then show what comes until q is pressed. Any key that means nothing clears the note."""
        self.turn_to(target)
        self.watching.look(target.path)
        self.draw()
        for event in self.screen.events():
            if isinstance(event, str):
                if event.lower() == "q":
                    return
                self.keys.get(event.lower(), self.clear)()
            elif isinstance(event, Began | Told | Failed):
                self.hear(event)
            self.draw()

    def hear(self, news: Began | Told | Failed) -> None:
        """A report replaces what is shown; while it is worked out, that of the same exercise stays."""
        if news.target != self.target:
            self.turn_to(news.target)
        if isinstance(news, Began):
            self.status = self.busy
            return
        self.clear()  # what was said of the last report
        self.outcome, at = news, time.strftime("%H:%M:%S")
        self.status = str
        if isinstance(news, Told):
            seconds = news.report.seconds
            self.status = lambda: say(self.language, "watch-checked", time=at, seconds=f"{seconds:.2f}")
            self.exercise = news.exercise
            self.workspace = record(news, self.workspace, self.language)
            if news.report.verdict == "passed":
                self.note = self.what_is_next

    def turn_to(self, target: Target) -> None:
        self.target, self.exercise, self.outcome = target, self.watching.catalog[target.id], None
        self.clear()

    # What keys do

    def clear(self) -> None:
        self.note = str

    def hint(self) -> None:
        """The next hint, counted as `cloze hint` counts."""
        if self.refused_in_interview():
            return
        exercise, diagnosed = self.exercise, self.diagnosed()
        before = replace(self.workspace.progress(exercise.id)) if self.workspace else Progress()
        before.explained = diagnosed or before.explained  # the report above says it
        given = replace(before)
        hints.take(exercise, given, None, self.language)
        if self.workspace:
            remember_hint(self.workspace, exercise.id, given, self.language)

        def text() -> str:
            told, total = hints.take(exercise, replace(before), None, self.language), len(exercise.words("en").hints)
            return say(self.language, "watch-hint", number=given.hints, total=total, text=told.text)

        self.note = text

    def next(self) -> None:
        """Where that has no file yet it is written, as `cloze start` would."""
        entry = self.following()
        if not entry or not (path := self.path(entry)):
            self.note = self.what_is_next
            return
        if self.workspace and not path.exists():
            with unwritable_is_told(self.language):
                self.workspace.write_starter(self.watching.catalog[entry.id])
        self.watching.look(path)

    def mistake(self) -> None:
        if not self.refused_in_interview():
            self.note = self.explained

    def refused_in_interview(self) -> bool:
        """Whether there is no help now; if so the note says it."""
        try:
            no_help_in_interview(self.workspace, self.target.id)
        except ClozeError as error:
            told = error.text
            self.note = lambda: told(self.language)
            return True
        return False

    def level(self) -> None:
        """Only what is written later changes: a file that is open in an editor must not."""
        if not self.workspace:
            self.note = lambda: say(self.language, "watch-no-workspace")
            return
        workspace = self.workspace
        with unwritable_is_told(self.language), workspace.changing() as state:
            [state.level] = set(LEVELS) - {state.level}
        self.note = lambda: say(self.language, "watch-level", level=workspace.state.level)

    def other_language(self) -> None:
        self.language = OTHER[self.language][0]

    def help(self) -> None:
        self.note = lambda: say(self.language, "watch-help").strip()

    # What is said

    def words(self) -> Words | None:
        """None while an author is at it."""
        try:
            return self.exercise.words(self.language)
        except ClozeError:
            return None

    def busy(self) -> str:
        return say(self.language, "watch-busy")

    def diagnosed(self) -> str:
        """The mistake that the report names, if any."""
        return (self.outcome.report.mistake or "") if isinstance(self.outcome, Told) else ""

    def explained(self) -> str:
        """As `cloze explain` does, but for the case that refuses it: that is in the report above."""
        mistake, words = self.diagnosed(), self.words()
        if not mistake or not words:
            return say(self.language, "watch-no-mistake")
        try:
            code = explaining.people_write(self.exercise, mistake, self.language)
        except ClozeError:  # a pack has no answers
            code = []
        return "\n".join([words.mistakes.get(mistake, mistake), *code])

    def what_is_next(self) -> str:
        entry = self.following()
        if not entry:
            return say(self.language, "watch-done")
        key = "watch-then" if self.path(entry) else "watch-alone"
        return say(self.language, key, id=entry.id, title=entry.title.text(self.language))

    def following(self) -> Entry | None:
        """Of what has a file here, the next that is open; if none is, what `cloze start` would write into the workspace."""
        root = self.workspace.root if self.workspace else self.target.path.parent.parent
        others = [entry for entry in self.entries if entry.id != self.target.id]
        here = [entry for entry in others if (root / f"{entry.id}.py").exists()]
        goal, done = self.workspace.state.goal if self.workspace else "", solved(self.workspace)
        return following(here, goal, done) or (following(others, goal, done) if self.workspace else None)

    def path(self, entry: Entry) -> Path | None:
        """Where its file is, if that is watched."""
        return next((path for path, target in self.watching.targets.items() if target.id == entry.id), None)

    def draw(self) -> None:
        """Everything anew, within the screen as it is now."""
        columns, rows = self.screen.size
        words = self.words()
        title = words.title if words else ""
        head = Text.assemble((self.target.id, "bold"), f"  {title}\n{self.place()}    ", (self.status(), "dim"))
        top = [*lines(head, columns), ""]
        note = ["", *lines(Text(self.note()), columns)] if self.note() else []
        room = rows - 1 - len(top) - len(note)
        page = [*top, *shorten(lines(self.told(), columns), room, self.language), *note]
        if room < 0:  # a small screen: what was asked for, and nothing else
            page = shorten(note[1:], rows - 1, self.language)
        level = self.workspace.state.level if self.workspace else "–"
        keys = say(self.language, "watch-keys", level=level, other=OTHER[self.language][1])
        self.screen.draw(page, f"\x1b[7m{set_cell_size(fitting(keys, columns), columns)}\x1b[0m")

    def place(self) -> Path:
        """Where the file is, as one would type it here."""
        path, here = self.target.path, Path.cwd()
        return path.relative_to(here) if path.is_relative_to(here) else path

    def told(self) -> Text:
        if isinstance(self.outcome, Told):
            asked = interviewing.asks(self.workspace, self.target.id)
            return render.as_text(self.outcome.report, self.outcome.exercise, self.language, "all", asked)
        return Text(describe(self.outcome.problem, self.language) if self.outcome else "")


def lines(text: Text, columns: int) -> list[str]:
    """Lines for a terminal of that width, colours included, none of which carries over into the next."""
    out = console()
    out.width, out.soft_wrap = columns, False
    with out.capture() as captured:
        out.print(text)
    return captured.get().rstrip("\n").split("\n")


def fitting(keys: str, columns: int) -> str:
    """Of keys with three spaces between them those that fit, none cut in two."""
    while cell_len(keys) > columns:
        keys = keys.rpartition("   ")[0]
    return keys


def shorten(lines: list[str], room: int, language: str) -> list[str]:
    """What fits, without the middle: the end has the verdict and what to do. Where there is hardly room, the end alone."""
    if len(lines) <= room:
        return lines
    if room < LAST + 2:
        return lines[len(lines) - max(0, room) :]
    begin = lines[: room - LAST - 1]
    return [*begin, say(language, "watch-more", count=len(lines) - len(begin) - LAST), *lines[-LAST:]]
