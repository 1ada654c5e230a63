"""256 个字节写成一张表，编码与解码都查表；相邻的字节成组解码。"""

import unicodedata
from itertools import groupby

字节名 = [f"<0x{i:02X}>" for i in range(256)]
字节 = {名: bytes([i]) for i, 名 in enumerate(字节名)}


def normalise(text):
    return " ".join(filter(None, unicodedata.normalize("NFKC", text).split(" ")))


def encode(text, scores):
    串 = normalise(text)
    if 串 == "":
        return []
    块 = ["▁"]
    块.extend("▁" if 字 == " " else 字 for 字 in 串)
    while True:
        候选 = {i: scores[块[i] + 块[i + 1]] for i in range(len(块) - 1) if 块[i] + 块[i + 1] in scores}
        if not 候选:
            break
        i = max(候选, key=候选.get)
        块 = 块[:i] + [块[i] + 块[i + 1]] + 块[i + 2 :]
    结果 = []
    for 个 in 块:
        结果 += [个] if 个 in scores else [字节名[b] for b in 个.encode("utf8")]
    return 结果


def 读(数据):
    文 = 数据.decode("utf8", "surrogateescape")
    return "".join("�" if "\ud800" <= 字 <= "\udfff" else 字 for 字 in 文)


def decode(pieces):
    文 = []
    for 是字节, 组 in groupby(pieces, key=字节.__contains__):
        文.append(读(b"".join(map(字节.get, 组))) if 是字节 else "".join(组).replace("▁", " "))
    全 = "".join(文)
    return 全[1:] if pieces and pieces[0][0] == "▁" else 全
