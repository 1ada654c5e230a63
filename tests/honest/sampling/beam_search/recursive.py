"""A recursion over the steps on dictionaries from texts to totals."""
from math import inf


def extend(live, table, bos):
    rows = table.tolist()
    return {ids + (b,): s + x for ids, s in live.items() for b, x in enumerate(rows[(bos, *ids)[-1]]) if x != -inf}


def descend(tables, live, done, bos, eos, beam):
    if not tables or not live:
        return done or live
    heirs = extend(live, tables[0], bos)
    kept = dict(sorted(heirs.items(), key=lambda item: -item[1])[:beam])
    ended = {ids: s for ids, s in kept.items() if ids[-1] == eos}
    going = {ids: s for ids, s in kept.items() if ids not in ended}
    return descend(tables[1:], going, done | ended, bos, eos, beam)


def beam_search(log_probs, bos, eos, beam, alpha=0.6):
    found = descend(list(log_probs), {(): 0.0}, {}, bos, eos, beam)
    score = {ids: s * (6 / (5 + len(ids))) ** alpha for ids, s in found.items()}
    best = max(score, key=score.get)
    return list(best), score[best]
