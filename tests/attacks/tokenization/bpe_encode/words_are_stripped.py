"""Spaces at the ends of the word are lost.

Verdict: failed
"""

from heapq import heapify, heappop, heappush
from itertools import pairwise


def bpe_encode(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """The tokens of a word: merged by rank, the lowest first."""
    word = word.strip()
    tokens = [*word, ""]  # the last is the end of the word; a token that was merged away becomes "" as well
    left = list(range(-1, len(word)))  # where the neighbours of each token stand; tokens[-1] is "", too
    right = [*range(1, len(tokens)), len(word)]
    heap = [(ranks[pair], i) for i, pair in enumerate(pairwise(word)) if pair in ranks]
    heapify(heap)
    while heap:
        rank, i = heappop(heap)
        j = right[i]
        fresh = ranks.get((tokens[i], tokens[j])) == rank  # or one of the two has merged with another token meanwhile
        if not fresh:
            continue
        tokens[i] += tokens[j]
        tokens[j] = ""
        right[i] = right[j]
        left[right[j]] = i
        for k in (left[i], i):
            pair = tokens[k], tokens[right[k]]
            if pair in ranks:
                heappush(heap, (ranks[pair], k))
    return [token for token in tokens if token]
