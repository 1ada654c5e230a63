"""A data class for hypotheses, heapq.nlargest for the beam, negative infinity filtered while extending."""

import heapq
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    ids: tuple = ()
    total: float = 0.0

    def heirs(self, table, bos):
        last = self.ids[-1] if self.ids else bos
        for token, log_prob in enumerate(table[last].tolist()):
            if not math.isinf(log_prob):
                yield Hypothesis((*self.ids, token), self.total + log_prob)

    def score(self, alpha):
        return self.total / ((5 + len(self.ids)) / 6) ** alpha


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    live, finished = [Hypothesis()], []
    for table in log_probs:
        everyone = (heir for hypothesis in live for heir in hypothesis.heirs(table, bos))
        kept = heapq.nlargest(beam, everyone, key=lambda each: each.total)
        finished.extend(each for each in kept if each.ids[-1] == eos)
        live = [each for each in kept if each.ids[-1] != eos]
        if not live:
            break
    winner = max(finished or live, key=lambda each: each.score(alpha))
    return list(winner.ids), winner.score(alpha)
