"""The text as one bytes object, tokens as spans of it; a bisected list of starts for every word; array module."""

import re
from array import array
from collections import Counter


def train_bpe(text, num_merges):
    words = Counter(re.findall(r" ?\S+|\s+", text))
    data = [(w.encode(), array("L", range(len(w.encode()) + 1)), n) for w, n in words.items()]
    merges = []

    def pairs(raw, cuts):
        for a, b, c in zip(cuts, cuts[1:], cuts[2:]):
            yield raw[a:b], raw[b:c]

    for _ in range(num_merges):
        stats = Counter()
        for raw, cuts, n in data:
            for pair in pairs(raw, cuts):
                stats[pair] += n
        if not stats:
            break
        high = max(stats.values())
        best = max(pair for pair, n in stats.items() if n == high)
        merges.append(best)
        for raw, cuts, _n in data:
            i = 0
            while i + 2 < len(cuts):
                if (raw[cuts[i] : cuts[i + 1]], raw[cuts[i + 1] : cuts[i + 2]]) == best:
                    cuts.pop(i + 1)
                i += 1
    return merges
