"""Ties are decided by signed bytes, as a C compiler may do.

Verdict: failed
"""

import re
from collections import Counter


def join(word, pair):
    tokens = []
    for token in word:
        if tokens and (tokens[-1], token) == pair:
            tokens[-1] += token
        else:
            tokens.append(token)
    return tokens


def train_bpe(text, num_merges):
    words = [[bytes([b]) for b in w.encode()] for w in re.findall(r" ?\S+|\s+", text)]
    merges = []
    while len(merges) < num_merges:
        counts = Counter(pair for word in words for pair in zip(word, word[1:]))
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], [[b ^ 128 for b in token] for token in pair]))
        merges.append(best)
        words = [join(word, best) for word in words]
    return merges
