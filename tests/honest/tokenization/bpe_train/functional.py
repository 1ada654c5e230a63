"""Functional: generators, comprehensions, islice over an endless generator of merges, nothing is mutated."""

import re
from collections import Counter
from functools import reduce
from itertools import chain, islice, pairwise, repeat
from operator import itemgetter

split = lambda text: re.findall(r" ?\S+|\s+", text)
spell = lambda word: tuple(map(bytes, zip(word.encode())))


def join(pair):
    def step(done, token):
        *rest, last = done or ((),)
        return (*rest, (*last, token)) if last and len(last) == 1 and (last[0], token) == pair else (*done, (token,))

    return lambda word: tuple(b"".join(group) for group in reduce(step, word, ()))


def census(words):
    return sum((Counter({p: n * c for p, c in Counter(pairwise(w)).items()}) for w, n in words.items()), Counter())


def merges(words):
    while counts := census(words):
        best = max(counts.items(), key=itemgetter(1, 0))[0]
        yield best
        words = Counter(dict(zip(map(join(best), words), words.values())))


def train_bpe(text, num_merges):
    return [*islice(merges(Counter(map(spell, split(text)))), num_merges)]
