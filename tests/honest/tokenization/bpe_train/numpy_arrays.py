"""NumPy: the whole text as one array of token numbers, breaks of -1, pairs counted by np.unique."""

import re

import numpy as np


def leftmost(hit):
    """Of hits that overlap (aaa), keep the first, the third … of each run."""
    position = np.arange(len(hit))
    starts = hit & ~np.concatenate([[False], hit[:-1]])
    run_start = np.maximum.accumulate(np.where(starts, position, 0))
    return hit & ((position - run_start) % 2 == 0)


def train_bpe(text, num_merges):
    chunks = [np.frombuffer(c.encode(), np.uint8).astype(np.int64) for c in re.findall(r" ?\S+|\s+", text)]
    ids = np.concatenate([np.append(c, -1) for c in chunks]) if chunks else np.array([-1])
    vocab = [bytes([i]) for i in range(256)]
    merges = []
    for _ in range(num_merges):
        inside = (ids[:-1] >= 0) & (ids[1:] >= 0)
        codes, counts = np.unique((ids[:-1] << 32 | ids[1:])[inside], return_counts=True)
        if codes.size == 0:
            break
        most = codes[counts == counts.max()]
        best, a, b = max(((vocab[a], vocab[b]), a, b) for a, b in zip((most >> 32).tolist(), (most & 0xFFFFFFFF).tolist()))
        merges.append(best)
        hit = np.append((ids[:-1] == a) & (ids[1:] == b), False)
        hit = leftmost(hit)
        ids = np.where(hit, len(vocab), ids)[~np.concatenate([[False], hit[:-1]])]
        vocab.append(best[0] + best[1])
    return merges
