"""A class for a word that merges itself by dropping cuts between bytes; a trainer that is an iterator of merges."""

import re
from collections import defaultdict


class Word:
    def __init__(self, raw, count):
        self.raw, self.cuts, self.count = raw, list(range(len(raw) + 1)), count

    def pairs(self):
        for a, b, c in zip(self.cuts, self.cuts[1:], self.cuts[2:]):
            yield self.raw[a:b], self.raw[b:c]

    def merge(self, pair):
        i = 0
        while i + 2 < len(self.cuts):
            a, b, c = self.cuts[i : i + 3]
            if (self.raw[a:b], self.raw[b:c]) == pair:
                del self.cuts[i + 1]
            i += 1


class Trainer:
    def __init__(self, text):
        seen = defaultdict(int)
        for match in re.finditer(r" ?\S+|\s+", text):
            seen[match.group(0)] += 1
        self.words = [Word(word.encode(), count) for word, count in seen.items()]

    def __iter__(self):
        return self

    def __next__(self):
        counts = defaultdict(int)
        for word in self.words:
            for pair in word.pairs():
                counts[pair] += word.count
        if not counts:
            raise StopIteration
        best = max(counts.items(), key=lambda item: item[::-1])[0]
        for word in self.words:
            word.merge(best)
        return best


def train_bpe(text, num_merges):
    return [pair for _, pair in zip(range(num_merges), Trainer(text))]
