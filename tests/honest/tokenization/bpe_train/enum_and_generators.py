"""An Enum of the steps, generators with `yield from`, a doctest, string formatting by name, try/else, a class per word."""

import enum
import re
import typing as t
from collections import defaultdict


class Step(enum.Enum):
    SPLIT = enum.auto()
    COUNT = enum.auto()
    MERGE = enum.auto()


class Word:
    """
    >>> list(Word(b"aaa", 1).pairs())
    [(b'a', b'a'), (b'a', b'a')]
    """

    def __init__(self, raw: bytes, times: int):
        self.tokens = [raw[i : i + 1] for i in range(len(raw))]
        self.times = times

    def pairs(self) -> t.Iterator[tuple[bytes, bytes]]:
        yield from zip(self.tokens, self.tokens[1:])

    def merge(self, pair):
        tokens, self.tokens = iter(self.tokens), []
        held = next(tokens, None)
        while held is not None:
            try:
                following = next(tokens)
            except StopIteration:
                self.tokens.append(held)
                break
            else:
                if (held, following) == pair:
                    self.tokens.append(held + following)
                    held = next(tokens, None)
                else:
                    self.tokens.append(held)
                    held = following


def train_bpe(text, num_merges):
    seen = defaultdict(int)
    for match in re.finditer(r" ?\S+|\s+", text):
        seen[match.group()] += 1
    words = [Word(word.encode("utf-8"), times) for word, times in seen.items()]
    merges = []
    for _ in range(num_merges):
        step, counts = Step.COUNT, defaultdict(int)
        for word in words:
            for pair in word.pairs():
                counts[pair] += word.times
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        step = Step.MERGE
        for word in words:
            if best[0] in word.tokens:
                word.merge(best)
        merges.append(best)
        assert step is Step.MERGE, "unexpected step {step.name!r}".format(step=step)
    return merges
