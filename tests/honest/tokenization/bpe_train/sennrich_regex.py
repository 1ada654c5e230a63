"""Sennrich's own script: words as strings of hexadecimal tokens between spaces, merged by re.sub."""

import collections
import re


def get_stats(vocab):
    pairs = collections.defaultdict(int)
    for word, freq in vocab.items():
        symbols = word.split()
        for i in range(len(symbols) - 1):
            pairs[symbols[i], symbols[i + 1]] += freq
    return pairs


def merge_vocab(pair, v_in):
    v_out = {}
    bigram = re.escape(" ".join(pair))
    p = re.compile(r"(?<!\S)" + bigram + r"(?!\S)")
    for word in v_in:
        w_out = p.sub("".join(pair), word)
        v_out[w_out] = v_in[word]
    return v_out


def train_bpe(text, num_merges):
    words = collections.Counter(re.findall(r" ?\S+|\s+", text))
    vocab = {word.encode("utf-8").hex(" "): freq for word, freq in words.items()}
    merges = []
    for _ in range(num_merges):
        pairs = get_stats(vocab)
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], tuple(map(bytes.fromhex, pair))))
        vocab = merge_vocab(best, vocab)
        merges.append(tuple(bytes.fromhex(half) for half in best))
    return merges
