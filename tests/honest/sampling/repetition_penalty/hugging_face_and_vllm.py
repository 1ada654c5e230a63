"""The shape of vLLM: an extra bin for padding, masks and counts first, three in-place steps on a copy."""

import torch


def get_token_bin_counts_and_mask(tokens, vocab_size, num_seqs):
    bin_counts = torch.zeros((num_seqs, vocab_size + 1), dtype=torch.long)
    bin_counts.scatter_add_(1, tokens, torch.ones_like(tokens))
    bin_counts = bin_counts[:, :vocab_size]
    return bin_counts, bin_counts > 0


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    out = logits.to(torch.float32, copy=True).reshape(-1, logits.shape[-1])
    num_seqs, vocab_size = out.shape
    tokens = torch.where(ids == -1, vocab_size, ids).reshape(num_seqs, -1)
    counts, mask = get_token_bin_counts_and_mask(tokens, vocab_size, num_seqs)
    penalties = torch.where(mask, torch.tensor(repetition), torch.tensor(1.0))
    out *= torch.where(out > 0, 1.0 / penalties, penalties)
    out -= frequency * counts
    out -= presence * mask
    return out.reshape(logits.shape)
