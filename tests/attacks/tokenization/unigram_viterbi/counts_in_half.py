"""The counts are kept in half precision.

Verdict: failed
"""

import math

import torch


def occurrences(text, logp):
    return [(i, j) for i in range(len(text)) for j in range(i + 1, len(text) + 1) if text[i:j] in logp]


def viterbi(text, logp):
    m = max(map(len, logp))
    best = [(0.0, [])] + [(-math.inf, None)] * len(text)
    for j in range(1, len(text) + 1):
        for i in range(max(0, j - m), j):
            if text[i:j] in logp and best[i][1] is not None and best[i][0] + logp[text[i:j]] > best[j][0]:
                best[j] = best[i][0] + logp[text[i:j]], [*best[i][1], text[i:j]]
    return best[-1][1]


def em_step(corpus, logp):
    counts = {}
    for text, times in corpus.items():
        spans = occurrences(text, logp)
        f = torch.full((len(text) + 1,), -math.inf, dtype=torch.float64)
        b = f.clone()
        f[0] = b[-1] = 0
        for i, j in spans:
            f[j] = torch.logaddexp(f[j], f[i] + logp[text[i:j]])
        for i, j in reversed(spans):
            b[i] = torch.logaddexp(b[i], b[j] + logp[text[i:j]])
        for i, j in spans:
            share = times * torch.exp(f[i] + logp[text[i:j]] + b[j] - f[-1])
            counts[text[i:j]] = counts.get(text[i:j], torch.zeros((), dtype=torch.float16)) + share.half()
    total = float(sum(counts.values()))
    return {piece: math.log(float(c) / total) for piece, c in counts.items() if c}
