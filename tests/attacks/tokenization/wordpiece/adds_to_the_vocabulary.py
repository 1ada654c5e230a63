"""The word is put into the vocabulary that the caller goes on to use.

Verdict: failed
"""

from collections import Counter
from itertools import pairwise


def best_pair(words: dict[tuple[str, ...], int]) -> tuple[str, str] | None:
    """The two pieces that a WordPiece training merges next."""
    pieces: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for word, times in words.items():
        for piece in word:
            pieces[piece] += times
        for pair in pairwise(word):
            pairs[pair] += times
    return max(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] * pieces[pair[1]]), default=None)


def encode(word: str, vocab: set[str], max_chars: int = 100) -> list[str]:
    """The pieces of a word: the longest that is known, again and again."""
    if len(word) > max_chars:
        return ["[UNK]"]
    found: list[str] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        candidates = [(prefix + word[start:end], end) for end in range(len(word), start, -1)]
        known = [(piece, end) for piece, end in candidates if piece in vocab]
        if not known:
            return ["[UNK]"]
        piece, start = known[0]
        found.append(piece)
    vocab.add("".join(found))
    return found
