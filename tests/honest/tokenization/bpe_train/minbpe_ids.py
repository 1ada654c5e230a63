"""In the manner of minbpe: token numbers, get_stats, merge, a vocab of bytes that also decides the ties."""

import re
from collections import Counter

GPT_SPLIT_PATTERN = re.compile(r" ?\S+|\s+")


def get_stats(ids, weight, counts):
    for pair in zip(ids, ids[1:]):
        counts[pair] = counts.get(pair, 0) + weight
    return counts


def merge(ids, pair, idx):
    newids = []
    i = 0
    while i < len(ids):
        if ids[i] == pair[0] and i < len(ids) - 1 and ids[i + 1] == pair[1]:
            newids.append(idx)
            i += 2
        else:
            newids.append(ids[i])
            i += 1
    return newids


class RegexTokenizer:
    def __init__(self):
        self.merges = {}  # (int, int) -> int
        self.vocab = {idx: bytes([idx]) for idx in range(256)}  # int -> bytes

    def train(self, text, num_merges, verbose=False):
        chunks = Counter(GPT_SPLIT_PATTERN.findall(text))
        ids = {chunk: list(chunk.encode("utf-8")) for chunk in chunks}
        for i in range(num_merges):
            stats = {}
            for chunk, chunk_ids in ids.items():
                get_stats(chunk_ids, chunks[chunk], stats)
            if not stats:
                return
            pair = max(stats, key=lambda p: (stats[p], self.vocab[p[0]], self.vocab[p[1]]))
            idx = 256 + i
            ids = {chunk: merge(chunk_ids, pair, idx) for chunk, chunk_ids in ids.items()}
            self.merges[pair] = idx
            self.vocab[idx] = self.vocab[pair[0]] + self.vocab[pair[1]]
            if verbose:
                print(f"merge {i + 1}/{num_merges}: {pair} -> {idx} ({self.vocab[idx]}) had {stats[pair]} occurrences")


def train_bpe(text, num_merges):
    tokenizer = RegexTokenizer()
    tokenizer.train(text, num_merges, verbose=True)
    return [(tokenizer.vocab[a], tokenizer.vocab[b]) for a, b in tokenizer.merges]
