"""每个 rank 一个位置堆，另有一个 rank 的堆；过期的位置在取出时丢弃。"""

import heapq
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class 队列:
    位置: defaultdict = field(default_factory=lambda: defaultdict(list))
    次序: list = field(default_factory=list)

    def 放(self, rank, i):
        if not self.位置[rank]:
            heapq.heappush(self.次序, rank)
        heapq.heappush(self.位置[rank], i)

    def 取(self):
        while self.次序:
            rank = self.次序[0]
            if self.位置[rank]:
                yield rank, heapq.heappop(self.位置[rank])
            else:
                heapq.heappop(self.次序)


def bpe_encode(word, ranks):
    词 = dict(enumerate(word))
    前 = {i: i - 1 for i in 词}
    后 = {i: i + 1 for i in 词}
    队 = 队列()

    def 看(i):
        if i in 词 and 后[i] in 词:
            rank = ranks.get((词[i], 词[后[i]]))
            if rank is not None:
                队.放(rank, i)

    for i in 词:
        看(i)
    for rank, i in 队.取():
        if i in 词 and 后[i] in 词 and ranks.get((词[i], 词[后[i]])) == rank:
            j = 后[i]
            词[i] += 词.pop(j)
            后[i] = 后[j]
            if 后[i] in 词:
                前[后[i]] = i
            看(前[i])
            看(i)
    return list(词.values())
