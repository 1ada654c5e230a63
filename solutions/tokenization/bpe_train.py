import re
from collections import Counter, defaultdict
from itertools import pairwise


def train_bpe(text: str, num_merges: int) -> list[tuple[bytes, bytes]]:
    """The merges of a byte-level BPE, in the order in which they are learned."""
    # BLANK split
    pretokens = Counter(re.findall(r" ?\S+|\s+", text))
    words = [[bytes([byte]) for byte in pretoken.encode()] for pretoken in pretokens]
    times = list(pretokens.values())
    # END
    counts: Counter[tuple[bytes, bytes]] = Counter()  # how often each pair occurs in the text
    homes: defaultdict[tuple[bytes, bytes], set[int]] = defaultdict(set)  # in which words, by index: no other changes
    # BLANK count
    for i, word in enumerate(words):
        for pair in pairwise(word):
            counts[pair] += times[i]
            homes[pair].add(i)
    # END
    merges: list[tuple[bytes, bytes]] = []
    while len(merges) < num_merges:
        # BLANK choose
        if not counts:
            return merges
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        # END
        # BLANK update
        for i in homes.pop(best):
            for pair in pairwise(words[i]):
                counts[pair] -= times[i]
            words[i] = joined(words[i], best)
            for pair in pairwise(words[i]):
                counts[pair] += times[i]
                homes[pair].add(i)
        counts = +counts  # without the pairs that are gone
        # END
    return merges


def joined(word: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """The tokens of a word, with every occurrence of the pair made one token."""
    # BLANK join
    tokens: list[bytes] = []
    for token in word:
        if tokens and (tokens[-1], token) == pair:
            tokens[-1] += token  # longer than pair[0] from now on: it joins nothing more
        else:
            tokens.append(token)
    return tokens
    # END
