"""A byte order mark at the beginning is dropped.

Verdict: failed
"""

import re
from collections import Counter
def train_bpe(text, num_merges):
    text = text.removeprefix("\ufeff")
    words = Counter(tuple(bytes([b]) for b in m[0].encode()) for m in re.finditer(r" ?\S+|\s+", text))
    merges = []
    for _ in range(min(num_merges, 256)):
        c = Counter()
        for w, n in words.items():
            for p in zip(w, w[1:]):
                c[p] += n
        if not c:
            break
        best = max(c, key=lambda p: (c[p], p))
        merges.append(best)
        new = Counter()
        for w, n in words.items():
            o, i = [], 0
            while i < len(w):
                if w[i:i + 2] == best:
                    o.append(w[i] + w[i + 1]); i += 2
                else:
                    o.append(w[i]); i += 1
            new[tuple(o)] += n
        words = new
    return merges
