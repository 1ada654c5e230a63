"""Tokens as latin-1 strings (which compare like bytes), translated at the very end; try/except for control."""
# -*- coding: utf-8 -*-
import re, string, sys
from collections import *
from typing import *

VERBOSE = False

def words_of(text):  # type: (str) -> Dict[Tuple[str, ...], int]
    table = OrderedDict()
    for w in re.compile(r'(?: ?\S+)|(?:\s+)').findall(text):
        key = tuple(w.encode('utf-8').decode('latin-1'))
        try:
            table[key] += 1
        except KeyError:
            table[key] = 1
    return table

def train_bpe(text, num_merges):
    table = words_of(text)
    out = []
    while True:
        if len(out) >= num_merges: break
        pairs = Counter()
        for word, n in table.items():
            for pair in zip(word[:-1], word[1:]): pairs[pair] += n
        try:
            ranking = sorted(pairs.items(), key=lambda kv: (-kv[1], kv[0]))
            top = [p for p, n in ranking if n == ranking[0][1]]
            a, b = top[-1]
        except IndexError:
            break
        else:
            out.append((a, b))
        if VERBOSE:
            sys.stderr.write('%s + %s\n' % (a, b))
        new = Counter()
        for word, n in table.items():
            w, rest = [], list(word)[::-1]
            while rest:
                t = rest.pop()
                if t == a and rest and rest[-1] == b:
                    t += rest.pop()
                w.append(t)
            new[tuple(w)] += n
        table = new
    return [(a.encode('latin-1'), b.encode('latin-1')) for a, b in out]
