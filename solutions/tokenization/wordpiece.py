from collections import Counter
from itertools import pairwise


def best_pair(words: dict[tuple[str, ...], int]) -> tuple[str, str] | None:
    """The two pieces that a WordPiece training merges next."""
    # BLANK count
    pieces: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for word, times in words.items():
        for piece in word:
            pieces[piece] += times
        for pair in pairwise(word):
            pairs[pair] += times
    # END
    # BLANK choose
    return max(pairs, key=lambda pair: pairs[pair] / (pieces[pair[0]] * pieces[pair[1]]), default=None)
    # END


def encode(word: str, vocab: set[str], max_chars: int = 100) -> list[str]:
    """The pieces of a word: the longest that is known, again and again."""
    # BLANK too_long
    if len(word) > max_chars:
        return ["[UNK]"]
    # END
    found: list[str] = []
    start = 0
    while start < len(word):
        # BLANK candidates
        prefix = "##" if start else ""
        candidates = [(prefix + word[start:end], end) for end in range(len(word), start, -1)]
        # END
        # BLANK match
        known = [(piece, end) for piece, end in candidates if piece in vocab]
        if not known:
            return ["[UNK]"]
        piece, start = known[0]
        found.append(piece)
        # END
    return found
