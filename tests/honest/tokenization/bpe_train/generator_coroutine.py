"""A generator yields the merges for ever; islice takes as many as wanted; try/except StopIteration."""

import collections
import itertools
import re
import string  # noqa: F401  imported by habit
import sys


def merges(text):
    pieces = re.compile(r" ?\S+|\s+").findall(text)
    words = collections.OrderedDict()
    for piece in pieces:
        words[piece] = words.get(piece, 0) + 1
    table = [([raw[i : i + 1] for i in range(len(raw))], n) for raw, n in ((w.encode(), n) for w, n in words.items())]
    while True:
        stats = collections.defaultdict(lambda: 0)
        for tokens, n in table:
            for pair in itertools.pairwise(tokens):
                stats[pair] += n
        try:
            best, _ = sorted(stats.items(), key=lambda kv: (kv[1], kv[0]))[-1]
        except IndexError:
            return
        yield best
        for tokens, _ in table:
            for i in itertools.count():
                if i + 1 >= len(tokens):
                    break
                if tokens[i] == best[0] and tokens[i + 1] == best[1]:
                    tokens[i] += tokens.pop(i + 1)


def train_bpe(text, num_merges):
    print("training", file=sys.stderr)
    return list(itertools.islice(merges(text), num_merges))
