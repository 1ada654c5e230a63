"""One doubly linked list over the whole text, -1 between pre-tokens; every occurrence on its own."""

import re
from collections import defaultdict


class Node:
    def __init__(self, token, prev=None):
        self.token = token
        self.prev = prev
        self.next = None
        self.alive = True
        if prev is not None:
            prev.next = self


def train_bpe(text, num_merges):
    occurrences = defaultdict(dict)  # pair -> {node: None}, in the order of the text
    serial = {}
    for chunk in re.findall(r" ?\S+|\s+", text):
        node = None
        for byte in chunk.encode():
            node = Node(bytes([byte]), node)
            serial[node] = len(serial)
            if node.prev:
                occurrences[node.prev.token, node.token][node.prev] = None

    def forget(node):
        if node is not None and node.next is not None:
            occurrences[node.token, node.next.token].pop(node, None)

    def remember(node):
        if node is not None and node.next is not None:
            occurrences[node.token, node.next.token][node] = None

    merges = []
    for _ in range(num_merges):
        live = {pair: len(nodes) for pair, nodes in occurrences.items() if nodes}
        if not live:
            break
        top = max(live.values())
        best = max(pair for pair, n in live.items() if n == top)
        merges.append(best)
        for node in sorted(occurrences.pop(best), key=serial.__getitem__):
            right = node.next
            if not node.alive or right is None or (node.token, right.token) != best:
                continue
            forget(node.prev)
            forget(right)
            node.token += right.token
            node.next = right.next
            if right.next is not None:
                right.next.prev = node
            right.alive = False
            remember(node.prev)
            remember(node)
        occurrences.pop(best, None)
    return merges
