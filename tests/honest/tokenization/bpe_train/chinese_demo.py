"""中文注释与变量名，末尾有打印和演示；记录每个词的相邻对位置，用 bisect 维护有序列表。"""
import re
from bisect import bisect_left, insort
from collections import defaultdict


def 切分(文本):
    return re.findall(r" ?\S+|\s+", 文本)


def 合并(词, 左, 右):
    """从左到右合并相邻的 左、右"""
    新词 = []
    for 单元 in 词:
        if 新词 and 新词[-1] == 左 and 单元 == 右:
            新词[-1] = [左 + 右]      # 用列表暂存，避免再次参与合并
        else:
            新词.append(单元)
    return [单元[0] if isinstance(单元, list) else 单元 for 单元 in 新词]


def train_bpe(text, num_merges):
    次数 = defaultdict(int)
    for 词 in 切分(text):
        次数[词] += 1
    词表 = [([bytes([字节]) for 字节 in 词.encode("utf-8")], n) for 词, n in 次数.items()]

    计数 = defaultdict(int)
    排行 = []                      # 升序排列的 (次数, 对)，最后一个最大

    def 更新(对, 增量):
        旧 = 计数[对]
        if 旧:
            del 排行[bisect_left(排行, (旧, 对))]
        计数[对] = 旧 + 增量
        if 计数[对]:
            insort(排行, (计数[对], 对))

    for 词, n in 词表:
        for 对 in zip(词, 词[1:]):
            更新(对, n)

    结果 = []
    while 排行 and len(结果) < num_merges:
        _, (左, 右) = 排行[-1]
        结果.append((左, 右))
        for i, (词, n) in enumerate(词表):
            if 左 not in 词:
                continue
            新词 = 合并(词, 左, 右)
            if len(新词) == len(词):
                continue
            for 对 in zip(词, 词[1:]):
                更新(对, -n)
            for 对 in zip(新词, 新词[1:]):
                更新(对, n)
            词表[i] = (新词, n)
    return 结果


print(train_bpe("low low lower 最低 最高", 5))

if __name__ == "__main__":
    for 对 in train_bpe(open(__file__, encoding="utf-8").read(), 30):
        print(对)
