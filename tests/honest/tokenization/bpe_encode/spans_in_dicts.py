"""A token is a span of the word; two dicts lead from where it starts to where it ends, and back."""

from heapq import heappop, heappush


def bpe_encode(word: str, ranks: dict) -> list:
    end_of = {i: i + 1 for i in range(len(word))}
    start_of = {i + 1: i for i in range(len(word))}
    waiting = []

    def look(start):
        middle = end_of.get(start)
        end = end_of.get(middle)
        if end is not None:
            rank = ranks.get((word[start:middle], word[middle:end]))
            if rank is not None:
                heappush(waiting, (rank, start, middle, end))

    for start in range(len(word)):
        look(start)
    while waiting:
        _, start, middle, end = heappop(waiting)
        if end_of.get(start) == middle and end_of.get(middle) == end:
            del end_of[middle], start_of[middle]
            end_of[start] = end
            start_of[end] = start
            if start in start_of:
                look(start_of[start])
            look(start)
    return [word[start:end] for start, end in sorted(end_of.items())]
