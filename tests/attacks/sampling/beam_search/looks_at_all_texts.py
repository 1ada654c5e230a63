"""Keeps every hypothesis, however many, up to a hundred thousand: the best of all texts is no longer what the beam finds.

Verdict: failed
"""

import math


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    live, finished = [(0.0, [])], []
    for table in log_probs:
        rows = table.tolist()
        heirs = [(t + x, [*ids, b]) for t, ids in live for b, x in enumerate(rows[ids[-1] if ids else bos]) if x > -math.inf]
        heirs = sorted(heirs, reverse=True)[:3000]
        finished += [each for each in heirs if each[1][-1] == eos]
        live = [each for each in heirs if each[1][-1] != eos]
    score, ids = max((t / ((5 + len(ids)) / 6) ** alpha, ids) for t, ids in finished or live)
    return ids, score
