"""BERT's own loops for encoding; plain dicts for the counts, and a running best with floats."""


def best_pair(words):
    freq = {}
    pair_freq = {}
    for word, n in words.items():
        for i, piece in enumerate(word):
            freq[piece] = freq.get(piece, 0) + n
            if i + 1 < len(word):
                pair = (piece, word[i + 1])
                pair_freq[pair] = pair_freq.get(pair, 0) + n
    best, best_score = None, 0.0
    for pair, n in pair_freq.items():
        score = n / freq[pair[0]] / freq[pair[1]]
        if score > best_score:
            best, best_score = pair, score
    return best


def encode(word, vocab, max_chars=100):
    chars = list(word)
    if len(chars) > max_chars:
        return ["[UNK]"]
    is_bad = False
    start = 0
    sub_tokens = []
    while start < len(chars):
        end = len(chars)
        cur_substr = None
        while start < end:
            substr = "".join(chars[start:end])
            if start > 0:
                substr = "##" + substr
            if substr in vocab:
                cur_substr = substr
                break
            end -= 1
        if cur_substr is None:
            is_bad = True
            break
        sub_tokens.append(cur_substr)
        start = end
    return ["[UNK]"] if is_bad else sub_tokens
