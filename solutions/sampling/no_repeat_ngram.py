import math
from collections import deque

from torch import Tensor


class NoRepeatNGram:
    """Which tokens would repeat an n-gram of the text."""

    def __init__(self, n: int, ids: list[int]):
        self.recent: deque[int] = deque(maxlen=n - 1)  # the last n - 1 tokens
        self.followers: dict[tuple[int, ...], set[int]] = {}  # n - 1 tokens in a row -> each token that came next
        for token in ids:
            self.append(token)

    def append(self, token: int) -> None:
        """The text goes on with this token."""
        # BLANK index
        self.followers.setdefault(tuple(self.recent), set()).add(token)  # a shorter beginning is never looked up again
        # END
        # BLANK shift
        self.recent.append(token)
        # END

    def banned(self) -> set[int]:
        """The tokens that would repeat an n-gram if they came next."""
        # BLANK lookup
        return set(self.followers.get(tuple(self.recent), ()))
        # END

    def block(self, logits: Tensor) -> Tensor:
        """logits [vocab] -> the same, -inf for banned tokens."""
        # BLANK block
        blocked = logits.clone()
        blocked[list(self.banned())] = -math.inf  # a probability of 0
        return blocked
        # END
