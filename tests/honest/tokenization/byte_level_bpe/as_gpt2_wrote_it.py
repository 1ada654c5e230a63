"""OpenAI's way: bytes as printable characters, a function that looks for the lowest pair and joins all its occurrences, a cache."""

import re

pattern = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def bytes_to_unicode():
    bs = list(range(ord("!"), ord("~") + 1)) + list(range(ord("¡"), ord("¬") + 1)) + list(range(ord("®"), ord("ÿ") + 1))
    cs = bs[:]
    n = 0
    for b in range(2**8):
        if b not in bs:
            bs.append(b)
            cs.append(2**8 + n)
            n += 1
    return dict(zip(bs, map(chr, cs)))


def get_pairs(word):
    return set(zip(word, word[1:]))


class ByteBPE:
    def __init__(self, merges):
        self.byte_encoder = bytes_to_unicode()
        self.byte_decoder = {v: k for k, v in self.byte_encoder.items()}
        spell = lambda token: "".join(self.byte_encoder[b] for b in token)
        pairs = [(spell(a), spell(b)) for a, b in merges]
        self.bpe_ranks = dict(zip(pairs, range(len(pairs))))
        self.encoder = {self.byte_encoder[b]: b for b in range(256)}
        for a, b in pairs:
            self.encoder[a + b] = len(self.encoder)
        self.decoder = {v: k for k, v in self.encoder.items()}
        self.cache = {}

    def bpe(self, token):
        if token in self.cache:
            return self.cache[token]
        word = tuple(token)
        while len(word) > 1:
            bigram = min(get_pairs(word), key=lambda pair: self.bpe_ranks.get(pair, float("inf")))
            if bigram not in self.bpe_ranks:
                break
            first, second = bigram
            new, i = [], 0
            while i < len(word):
                if i < len(word) - 1 and word[i] == first and word[i + 1] == second:
                    new.append(first + second)
                    i += 2
                else:
                    new.append(word[i])
                    i += 1
            word = tuple(new)
        self.cache[token] = word
        return word

    def encode(self, text):
        ids = []
        for token in re.findall(pattern, text):
            token = "".join(self.byte_encoder[b] for b in token.encode("utf-8"))
            ids.extend(self.encoder[part] for part in self.bpe(token))
        return ids

    def decode(self, ids):
        text = "".join(self.decoder[id] for id in ids)
        return bytearray(self.byte_decoder[c] for c in text).decode("utf-8", errors="replace")
