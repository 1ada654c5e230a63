"""As llama2.c encodes: the best neighbours are looked for in a loop. Decoding reads UTF-8 by hand, byte for byte."""

from unicodedata import normalize


def normalise(text):
    text = normalize("NFKC", text)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.lstrip(" ").rstrip(" ")


def encode(text, scores):
    text = normalise(text)
    if not text:
        return []
    tokens = [c for c in (" " + text).replace(" ", "\u2581")]
    while True:
        best_score, best_idx = float("-inf"), -1
        for i in range(len(tokens) - 1):
            joined = tokens[i] + tokens[i + 1]
            if joined in scores and scores[joined] > best_score:
                best_score, best_idx = scores[joined], i
        if best_idx == -1:
            break
        tokens[best_idx] += tokens.pop(best_idx + 1)
    out = []
    for token in tokens:
        if token in scores:
            out.append(token)
        else:
            out.extend("<0x%02X>" % b for b in token.encode("utf-8"))
    return out


def raw(piece):
    if len(piece) == 6 and piece[:3] == "<0x" and piece[5] == ">" and all(c in "0123456789ABCDEF" for c in piece[3:5]):
        return [int(piece[3:5], 16)]
    return list(piece.replace("\u2581", " ").encode("utf-8"))


def decode(pieces):
    data = []
    for piece in pieces:
        data += raw(piece)
    if pieces and pieces[0][:1] == "\u2581":
        data = data[1:]
    out, i = [], 0
    while i < len(data):
        b = data[i]
        need = 1 if b < 0x80 else 2 if 0xC2 <= b < 0xE0 else 3 if 0xE0 <= b < 0xF0 else 4 if 0xF0 <= b < 0xF5 else 0
        part = bytes(data[i : i + need]) if need else b""
        try:
            out.append(part.decode("utf-8") if part else "\ufffd")
            i += need or 1
        except UnicodeDecodeError:
            out.append("\ufffd")
            i += 1
    return "".join(out)
