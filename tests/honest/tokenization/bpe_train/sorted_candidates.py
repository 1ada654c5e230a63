"""most_common and then the ties sorted; words as tuples in a dict, rebuilt with an iterator; reduce over words."""

import functools
import re
from collections import Counter
from itertools import islice, takewhile


def pairs_of(word):
    return zip(word, islice(word, 1, None))


def merged(word, left, right):
    out, rest = [], iter(range(len(word)))
    for i in rest:
        if i + 1 < len(word) and word[i] == left and word[i + 1] == right:
            out.append(left + right)
            next(rest)
        else:
            out.append(word[i])
    return tuple(out)


def train_bpe(text, num_merges):
    vocab = Counter(tuple(bytes((b,)) for b in m.group().encode()) for m in re.compile(r" ?\S+|\s+").finditer(text))
    result = []
    while num_merges > len(result):
        total = functools.reduce(
            lambda counts, item: counts.update({p: n * item[1] for p, n in Counter(pairs_of(item[0])).items()}) or counts,
            vocab.items(),
            Counter(),
        )
        ranking = total.most_common()
        if not ranking:
            break
        ties = takewhile(lambda entry: entry[1] == ranking[0][1], ranking)
        left, right = sorted(pair for pair, _ in ties)[-1]
        result.append((left, right))
        vocab = Counter({merged(word, left, right): n for word, n in vocab.items()})
    return result
