"""Incremental: a Counter of pairs and an index of the words that hold each, corrected after each merge."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

Token = bytes
Pair = tuple[Token, Token]


def pre_tokens(text: str) -> Iterator[str]:
    yield from (match.group() for match in re.finditer(r" ?\S+|\s+", text))


def join(word: tuple[Token, ...], pair: Pair) -> tuple[Token, ...]:
    out: list[Token] = []
    fresh = False  # the last token of `out` was made just now
    for token in word:
        if out and not fresh and (out[-1], token) == pair:
            out[-1] += token
            fresh = True
        else:
            out.append(token)
            fresh = False
    return tuple(out)


def train_bpe(text: str, num_merges: int) -> list[Pair]:
    times = Counter(pre_tokens(text))
    words = {i: tuple(bytes((b,)) for b in word.encode()) for i, word in enumerate(times)}
    frequency = dict(enumerate(times.values()))
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)

    def account(i: int, sign: int) -> None:
        for pair in pairwise(words[i]):
            counts[pair] += sign * frequency[i]
            if sign > 0:
                where[pair].add(i)

    for i in words:
        account(i, +1)

    merges: list[Pair] = []
    for _ in range(num_merges):
        counts = +counts  # only what is there
        if not counts:
            break
        best = max(counts.items(), key=lambda item: item[::-1])[0]
        merges.append(best)
        for i in where.pop(best):
            account(i, -1)
            words[i] = join(words[i], best)
            account(i, +1)
    return merges
