"""A terminal that shows one page and hears single keys, and news from threads and signals.

    with Screen(inbox) as screen:
        screen.draw(["first line", "second line"], "q quit")     the last text is the bottom line
        for event in screen.events(): ...                        "q", RESIZED, or what somebody put into the inbox

Plain escape sequences, as every terminal knows them; nothing is asked of it, so ssh and tmux are no different. A page is one
write, over the old one, so that nothing flickers. Whatever happens, the terminal is given back as it was.
"""

import contextlib
import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

from clozekit.inbox import Inbox

RESIZED = object()
ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, without a cursor
LEAVE = "\x1b[?25h\x1b[?1049l"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"  # shown at once by a terminal that can; others take no notice
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.)?")  # an arrow key, say: no letter of it is meant


class Screen:
    """Standard input and output, both a terminal. Only the main thread may enter it."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.keyboard, self.output = sys.stdin.fileno(), sys.stdout.fileno()
        self.modes = termios.tcgetattr(self.keyboard)

    def __enter__(self) -> Self:
        self.former = {
            number: signal.signal(number, handler)
            for number, handler in ((signal.SIGWINCH, self._resized), (signal.SIGTSTP, self._suspend))
        }
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        for number, handler in self.former.items():
            signal.signal(number, handler)

    def _take(self) -> None:
        tty.setcbreak(self.keyboard)
        self._write(ENTER)

    def _give_back(self) -> None:
        with contextlib.suppress(OSError, termios.error):  # the terminal is gone
            self._write(LEAVE)
            termios.tcsetattr(self.keyboard, termios.TCSAFLUSH, self.modes)

    def _resized(self, number: int, frame: FrameType | None) -> None:
        self.inbox.put(RESIZED)

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the shell wants its terminal as it was; back in the foreground we draw anew."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        self.inbox.put(RESIZED)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now: not what COLUMNS and LINES say, which were set before."""
        columns, rows = os.get_terminal_size(self.output)
        return columns or 80, rows or 24  # some terminals do not know

    def draw(self, lines: list[str], bottom: str) -> None:
        """Show these lines from the top, and one at the bottom. None may be wider than the screen."""
        _, rows = self.size
        page = [*lines[: rows - 1], *[""] * (rows - 1 - len(lines)), bottom]
        placed = "".join(f"\x1b[{row};1H{line}\x1b[K" for row, line in enumerate(page, 1))
        self._write(BEGIN + placed + END)

    def events(self) -> Iterator[Any]:
        """Keys and news, as they come, until the terminal is gone."""
        poll = select.poll()
        poll.register(self.keyboard, select.POLLIN)
        poll.register(self.inbox.bell, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self.inbox.bell in ready:
                yield from self.inbox.take()
            if self.keyboard in ready:
                if not (typed := self._typed()):
                    return
                yield from SEQUENCE.sub("", typed)

    def _typed(self) -> str:
        """What was typed; "" if nobody ever will again."""
        try:
            return os.read(self.keyboard, 1024).decode("utf-8", "replace")
        except OSError:
            return ""

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self.output, data) :]
