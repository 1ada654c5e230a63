"""Dataclasses with slots, lru_cache on a pure helper, a constant table of bytes at module level, asserts."""

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

BYTES: tuple[bytes, ...] = tuple(bytes([i]) for i in range(256))


@lru_cache(maxsize=None)
def spell(word: str) -> tuple[bytes, ...]:
    return tuple(BYTES[b] for b in word.encode("utf-8"))


@dataclass(slots=True)
class Word:
    tokens: list[bytes]
    times: int

    @property
    def pairs(self) -> Counter:
        found = Counter()
        for left, right in zip(self.tokens, self.tokens[1:]):
            found[left, right] += self.times
        return found

    def merge(self, pair: tuple[bytes, bytes]) -> None:
        i = 0
        while i < len(self.tokens) - 1:
            if (self.tokens[i], self.tokens[i + 1]) == pair:
                self.tokens[i] += self.tokens.pop(i + 1)
            i += 1


@dataclass
class Trainer:
    words: list[Word]
    counts: Counter = field(default_factory=Counter)
    merges: list[tuple[bytes, bytes]] = field(default_factory=list)

    def __post_init__(self):
        for word in self.words:
            self.counts.update(word.pairs)

    def best(self):
        count, pair = max((count, pair) for pair, count in self.counts.items())
        assert count > 0, (count, pair)
        return pair

    def step(self) -> bool:
        if not self.counts:
            return False
        pair = self.best()
        self.merges.append(pair)
        for word in self.words:
            if pair in word.pairs:
                self.counts.subtract(word.pairs)
                word.merge(pair)
                self.counts.update(word.pairs)
        self.counts = Counter({p: c for p, c in self.counts.items() if c})
        return True


def train_bpe(text: str, num_merges: int) -> list[tuple[bytes, bytes]]:
    trainer = Trainer([Word(list(spell(w)), n) for w, n in Counter(re.findall(r" ?\S+|\s+", text)).items()])
    while len(trainer.merges) < num_merges and trainer.step():
        pass
    return trainer.merges
