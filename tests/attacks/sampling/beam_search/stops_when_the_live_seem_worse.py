"""Stops as soon as the best finished score is above what any live hypothesis has now.

Verdict: failed
"""

import math


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    live, finished = [(0.0, [])], []

    def score(each):
        return each[0] / ((5 + len(each[1])) / 6) ** alpha

    for table in log_probs:
        rows = table.tolist()
        heirs = [(t + x, [*ids, b]) for t, ids in live for b, x in enumerate(rows[ids[-1] if ids else bos]) if x > -math.inf]
        heirs = sorted(heirs, reverse=True)[:beam]
        finished += [each for each in heirs if each[1][-1] == eos]
        live = [each for each in heirs if each[1][-1] != eos]
        if finished and live and max(map(score, finished)) > max(map(score, live)):
            break
    best = max(finished or live, key=score)
    return best[1], score(best)
