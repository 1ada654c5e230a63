"""Every token is one character beyond the basic plane; a merge is str.replace."""

import re
from collections import Counter

FIRST = 0x10000


def train_bpe(text, num_merges):
    spelled = {chr(FIRST + b): bytes([b]) for b in range(256)}
    words = Counter("".join(chr(FIRST + b) for b in w.encode("utf-8")) for w in re.findall(r" ?\S+|\s+", text))
    merges = []
    for step in range(num_merges):
        counts = Counter()
        for word, n in words.items():
            for pair in map("".join, zip(word, word[1:])):
                counts[pair] += n
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], spelled[pair[0]], spelled[pair[1]]))
        merges.append((spelled[best[0]], spelled[best[1]]))
        new = chr(FIRST + 256 + step)
        spelled[new] = spelled[best[0]] + spelled[best[1]]
        words = Counter({word.replace(best, new): n for word, n in words.items()})
    return merges
