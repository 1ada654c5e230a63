"""Pre-tokens by a hand-written scanner over str.isspace, no re; while loops in the manner of C; CRLF."""

def pretokenize(text):
    pieces = []
    i = 0
    n = len(text)
    while i < n:
        start = i
        if text[i] == ' ' and i + 1 < n and not text[i + 1].isspace():
            i += 1
        if text[i].isspace():
            while i < n and text[i].isspace():
                i += 1
        else:
            while i < n and not text[i].isspace():
                i += 1
        pieces.append(text[start:i])
    return pieces

def greater(c1, p1, c2, p2):
    if c1 != c2:
        return c1 > c2
    if p1[0] != p2[0]:
        return p1[0] > p2[0]
    return p1[1] > p2[1]

def train_bpe(text, num_merges):
    freq = dict()
    for piece in pretokenize(text):
        if piece in freq:
            freq[piece] += 1
        else:
            freq[piece] = 1
    words = []
    weights = []
    for piece in freq:
        tokens = []
        for value in piece.encode():
            tokens.append(value.to_bytes(1, 'big'))
        words.append(tokens)
        weights.append(freq[piece])

    result = []
    for step in range(0, num_merges):
        count = dict()
        for w in range(0, len(words)):
            for j in range(1, len(words[w])):
                key = (words[w][j - 1], words[w][j])
                count[key] = count.get(key, 0) + weights[w]
        best = None
        for key in count:
            if best is None or greater(count[key], key, count[best], best):
                best = key
        if best is None:
            break
        result.append(best)
        for w in range(0, len(words)):
            j = 0
            while j < len(words[w]) - 1:
                if words[w][j] == best[0] and words[w][j + 1] == best[1]:
                    words[w][j:j + 2] = [best[0] + best[1]]
                j += 1
    return result
