"""A pair counts once in a word, however often it occurs there.

Verdict: failed
"""

from collections import Counter
from itertools import pairwise


def best_pair(words):
    one, two = Counter(), Counter()
    for word, n in words.items():
        for p in word:
            one[p] += n
        for p in set(pairwise(word)):
            two[p] += n
    return max(two, key=lambda p: two[p] / (one[p[0]] * one[p[1]]), default=None)


def encode(word, vocab, max_chars=100):
    if len(word) > max_chars:
        return ["[UNK]"]
    found, start = [], 0
    while start < len(word):
        end = next((e for e in range(len(word), start, -1) if ("##" if start else "") + word[start:e] in vocab), None)
        if end is None:
            return ["[UNK]"]
        found.append(("##" if start else "") + word[start:end])
        start = end
    return found
