"""As the library trains: pieces expected less than half a time are dropped, and the digamma function shrinks the rest.

Verdict: failed
"""

import math

import torch


def occurrences(text, logp):
    m = max(map(len, logp))
    return [(i, j) for i in range(len(text)) for j in range(i + 1, min(i + m, len(text)) + 1) if text[i:j] in logp]


def viterbi(text, logp):
    best = [(0.0, [])] + [(-math.inf, None)] * len(text)
    for i, j in sorted(occurrences(text, logp), key=lambda span: span[1]):
        if best[i][1] is not None and best[i][0] + logp[text[i:j]] > best[j][0]:
            best[j] = best[i][0] + logp[text[i:j]], [*best[i][1], text[i:j]]
    return best[-1][1]


def em_step(corpus, logp):
    counts = {}
    for text, times in corpus.items():
        spans = occurrences(text, logp)
        f = [0.0] + [-math.inf] * len(text)
        b = [-math.inf] * len(text) + [0.0]
        add = lambda x, y: max(x, y) + math.log1p(math.exp(-abs(x - y))) if min(x, y) > -math.inf else max(x, y)
        for i, j in spans:
            f[j] = add(f[j], f[i] + logp[text[i:j]])
        for i, j in reversed(spans):
            b[i] = add(b[i], b[j] + logp[text[i:j]])
        for i, j in spans:
            counts[text[i:j]] = counts.get(text[i:j], 0) + times * math.exp(f[i] + logp[text[i:j]] + b[j] - f[-1])
    kept = {piece: c for piece, c in counts.items() if c >= 0.5}
    digamma = lambda c: float(torch.digamma(torch.tensor(c, dtype=torch.float64)))
    return {piece: digamma(c) - digamma(sum(kept.values())) for piece, c in kept.items()}
