"""From the end of the text to its start; numpy adds the logarithms; lists of edges."""

import numpy as np


def edges(text, logp):
    m = max(len(piece) for piece in logp)
    found = [[] for _ in range(len(text) + 1)]
    for i in range(len(text)):
        for k in range(1, m + 1):
            piece = text[i : i + k]
            if len(piece) == k and piece in logp:
                found[i].append((i + k, piece))
    return found


def viterbi(text, logp):
    n = len(text)
    value = np.full(n + 1, -np.inf)
    value[n] = 0
    choice = [None] * n
    for i, options in reversed(list(enumerate(edges(text, logp)[:n]))):
        for j, piece in options:
            if logp[piece] + value[j] > value[i]:
                value[i] = logp[piece] + value[j]
                choice[i] = piece
    if np.isneginf(value[0]):
        return None
    answer = []
    while sum(map(len, answer)) < n:
        answer.append(choice[sum(map(len, answer))])
    return answer


def em_step(corpus, logp):
    mass = dict.fromkeys(logp, -np.inf)
    for text, times in corpus.items():
        n, out = len(text), edges(text, logp)
        f, b = np.full(n + 1, -np.inf), np.full(n + 1, -np.inf)
        f[0] = b[n] = 0.0
        for i in range(n):
            for j, piece in out[i]:
                f[j] = np.logaddexp(f[j], f[i] + logp[piece])
        for i in range(n - 1, -1, -1):
            for j, piece in out[i]:
                b[i] = np.logaddexp(b[i], b[j] + logp[piece])
        for i in range(n):
            for j, piece in out[i]:
                mass[piece] = np.logaddexp(mass[piece], np.log(times) + f[i] + logp[piece] + b[j] - f[n])
    kept = {piece: m for piece, m in mass.items() if m > -np.inf}
    total = np.logaddexp.reduce(np.array(list(kept.values())))
    return {piece: float(m - total) for piece, m in kept.items()}
