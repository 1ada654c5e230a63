"""The gain as a difference of logarithms; a trie of the vocabulary, two roots, walked once from each start."""

import math
from collections import defaultdict

END = object()


def best_pair(words):
    singles, doubles = defaultdict(int), defaultdict(int)
    for word, times in words.items():
        for piece in word:
            singles[piece] += times
        for left, right in zip(word[:-1], word[1:]):
            doubles[left, right] += times
    gains = [(math.log(n) - math.log(singles[a]) - math.log(singles[b]), (a, b)) for (a, b), n in doubles.items()]
    return max(gains)[1] if gains else None


def trie_of(pieces):
    root = {}
    for piece in pieces:
        node = root
        for letter in piece:
            node = node.setdefault(letter, {})
        node[END] = piece
    return root


def encode(word: str, vocab: set, max_chars: int = 100) -> list:
    if len(word) > max_chars:
        return ["[UNK]"]
    root = trie_of(vocab)
    inner = root.get("#", {}).get("#", {})
    result, start = [], 0
    while start < len(word):
        node, longest, stop = (inner if start else root), None, start
        for position in range(start, len(word)):
            node = node.get(word[position])
            if node is None:
                break
            if END in node:
                longest, stop = node[END], position + 1
        if longest is None:
            return ["[UNK]"]
        result.append(longest)
        start = stop
    return result
