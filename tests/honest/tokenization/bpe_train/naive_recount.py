"""The naive way: count every pair of every pre-token again after each merge."""

import re


def train_bpe(text, num_merges):
    words = [[bytes([b]) for b in chunk.encode("utf-8")] for chunk in re.findall(r" ?\S+|\s+", text)]
    merges = []
    while len(merges) < num_merges:
        counts = {}
        for word in words:
            for i in range(len(word) - 1):
                pair = (word[i], word[i + 1])
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        for w, word in enumerate(words):
            new = []
            i = 0
            while i < len(word):
                if i + 1 < len(word) and (word[i], word[i + 1]) == best:
                    new.append(word[i] + word[i + 1])
                    i += 2
                else:
                    new.append(word[i])
                    i += 1
            words[w] = new
    return merges
