"""Tokens are objects that know their neighbours; a counter decides nothing, ids of merged pairs are kept in the entries."""

import heapq


class Token:
    __slots__ = ("after", "before", "place", "text")

    def __init__(self, text, place):
        self.text, self.place = text, place
        self.before = self.after = None

    def follow(self, other):
        self.before = other
        if other is not None:
            other.after = self


def bpe_encode(word, ranks):
    chain = [Token(letter, place) for place, letter in enumerate(word)]
    for left, right in zip(chain, chain[1:]):
        right.follow(left)
    queue = []

    def offer(token):
        if token is None or token.after is None:
            return
        pair = (token.text, token.after.text)
        if pair in ranks:
            heapq.heappush(queue, (ranks[pair], token.place, pair))

    for token in chain:
        offer(token)
    while queue:
        _, place, (left, right) = heapq.heappop(queue)
        token = chain[place]
        if token is None or token.text != left:
            continue
        other = token.after
        if other is None or other.text != right:
            continue
        token.text = left + right
        token.after = None
        if other.after is not None:
            other.after.follow(token)
        chain[other.place] = None
        offer(token.before)
        offer(token)
    return [token.text for token in chain if token is not None]
