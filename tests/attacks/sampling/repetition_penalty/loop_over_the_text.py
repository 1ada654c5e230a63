"""Walks along the text, token by token.

Verdict: failed, steps
"""

import torch


def penalize(logits, ids, repetition=1.0, presence=0.0, frequency=0.0):
    out = logits.float().clone(memory_format=torch.contiguous_format)
    for row, text in zip(out.reshape(-1, out.shape[-1]), ids.reshape(out.numel() // out.shape[-1], ids.shape[-1])):
        counts = {}
        for token in text.tolist():
            if token >= 0:
                counts[token] = counts.get(token, 0) + 1
        for token, count in counts.items():
            x = row[token]
            row[token] = (x / repetition if x > 0 else x * repetition) - presence - frequency * count
    return out.to(logits.dtype)
