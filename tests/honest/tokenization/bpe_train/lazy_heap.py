"""A heap with lazy deletion; the order of pairs turned round by a class with __lt__."""

import heapq
import re
from collections import defaultdict
from functools import total_ordering


@total_ordering
class Entry:
    __slots__ = ("count", "pair")

    def __init__(self, count, pair):
        self.count, self.pair = count, pair

    def __eq__(self, other):
        return (self.count, self.pair) == (other.count, other.pair)

    def __lt__(self, other):  # the first out of the heap is the greatest
        return (self.count, self.pair) > (other.count, other.pair)


def train_bpe(text, num_merges):
    words = defaultdict(int)
    for m in re.finditer(r" ?\S+|\s+", text):
        words[m[0].encode("utf8")] += 1
    tokens = [[w[i : i + 1] for i in range(len(w))] for w in words]
    freq = list(words.values())

    counts, places = defaultdict(int), defaultdict(set)
    for n, word in enumerate(tokens):
        for pair in zip(word, word[1:]):
            counts[pair] += freq[n]
            places[pair].add(n)
    heap = [Entry(count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)

    merges = []
    while heap and len(merges) < num_merges:
        top = heapq.heappop(heap)
        if counts.get(top.pair, 0) != top.count:
            continue  # out of date: a newer entry is in the heap
        left, right = top.pair
        merges.append(top.pair)
        touched = set()
        for n in places.pop(top.pair):
            old = tokens[n]
            new, i = [], 0
            while i < len(old):
                if old[i : i + 2] == [left, right]:
                    new.append(left + right)
                    i += 2
                else:
                    new.append(old[i])
                    i += 1
            for pair in zip(old, old[1:]):
                counts[pair] -= freq[n]
                touched.add(pair)
            for pair in zip(new, new[1:]):
                counts[pair] += freq[n]
                places[pair].add(n)
                touched.add(pair)
            tokens[n] = new
        for pair in touched:
            if counts[pair] > 0:
                heapq.heappush(heap, Entry(counts[pair], pair))
            else:
                del counts[pair]
    return merges
