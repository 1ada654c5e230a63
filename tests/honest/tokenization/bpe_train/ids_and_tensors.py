"""Ids in a torch tensor with separators, pairs counted by torch.unique; the vocabulary a dict of bytes."""

import re

import torch


def train_bpe(text, num_merges):
    ids = []
    for word in re.findall(r" ?\S+|\s+", text):
        ids += [*word.encode(), -1]
    ids = torch.tensor(ids, dtype=torch.long)
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    while len(merges) < num_merges and len(ids) > 1:
        pairs = torch.stack([ids[:-1], ids[1:]], 1)
        pairs = pairs[(pairs >= 0).all(1)]
        if len(pairs) == 0:
            break
        unique, counts = torch.unique(pairs, dim=0, return_counts=True)
        ties = unique[counts == counts.max()].tolist()
        a, b = max(ties, key=lambda ab: (vocab[ab[0]], vocab[ab[1]]))
        merges.append((vocab[a], vocab[b]))
        new = 256 + len(merges)
        vocab[new] = vocab[a] + vocab[b]
        out, old, i = [], ids.tolist(), 0
        while i < len(old):
            if old[i] == a and i + 1 < len(old) and old[i + 1] == b:
                out.append(new)
                i += 2
            else:
                out.append(old[i])
                i += 1
        ids = torch.tensor(out, dtype=torch.long)
    return merges
