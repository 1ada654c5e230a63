"""Where threads and signal handlers leave news for one that waits for descriptors as well.

inbox.put(news)                                  from anywhere
poll.register(inbox.bell, select.POLLIN)         rings; then:
for news in inbox.take(): ...
"""

import contextlib
import os
import queue
from collections.abc import Iterator
from typing import Any, Self


class Inbox:
    """A queue with a bell, which is a descriptor."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue = queue.SimpleQueue()
        self.bell, self.rope = os.pipe()
        os.set_blocking(self.rope, False)

    def put(self, news: object) -> None:
        self.news.put(news)
        with contextlib.suppress(BlockingIOError):  # it rings already
            os.write(self.rope, b".")

    def take(self) -> Iterator[Any]:
        """What has come, once the bell rang."""
        os.read(self.bell, 65536)
        with contextlib.suppress(queue.Empty):
            while True:
                yield self.news.get_nowait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.bell)
        os.close(self.rope)
