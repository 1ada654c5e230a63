"""No-repeat n-gram blocking

No n tokens in a row may come twice in a text. Before each step the tokens are banned that
would repeat an n-gram; overlapping ones count. Of the text x_0, …, x_{t−1} these are

    banned = { v : (x_{t−n+1}, …, x_{t−1}, v) = (x_i, …, x_{i+n−1}) for some i }

with 0 <= i <= t − n. While t < n nothing is banned; with n = 1 every token of the text is.

NoRepeatNGram(n, ids)  the text so far is ids, a list of int, maybe empty; n >= 1. Several
                       objects do not affect each other.
.append(token)         the text goes on with token, an int, banned or not; gives None
.banned()              the banned tokens, a set of int. It is the caller's: what is appended
                       later does not change it.
.block(logits)         logits [vocab], float32, float16 or bfloat16  ->  the same, of the same
                       dtype, but banned tokens have probability 0: -inf

append, banned and block are called once for each token. The lines of Python that append and
banned run must not grow with the text: there is no loop over it. The constructor may
look at each of ids, and all of them at each of the n tokens of an n-gram.

logits must not be changed; they need not be contiguous. All banned tokens are in 0 …
vocab − 1. If all are banned, all are -inf.

Source: Paulus et al. 2017, A Deep Reinforced Model for Abstractive Summarization, arXiv:1705.04304, §2.5
"""

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
        # TODO (1 line): note in `followers` that token came after the `recent` ones
        raise NotImplementedError("index")
        # TODO (1 line): token is now the last of the `recent` ones
        raise NotImplementedError("shift")

    def banned(self) -> set[int]:
        """The tokens that would repeat an n-gram if they came next."""
        # TODO (1 line): what came after the `recent` tokens before, as a set of its own
        raise NotImplementedError("lookup")

    def block(self, logits: Tensor) -> Tensor:
        """logits [vocab] -> the same, -inf for banned tokens."""
        # TODO (3 lines): a new tensor, -inf for banned tokens
        raise NotImplementedError("block")
