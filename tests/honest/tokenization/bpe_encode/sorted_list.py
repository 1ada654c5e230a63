"""A sorted list that bisect keeps, taken from its end; links in one list of pairs; a for loop with a sentinel word."""

from bisect import insort


def bpe_encode(word, ranks):
    n = len(word)
    parts = [*word]
    links = [[i - 1, i + 1] for i in range(n)]
    todo = []

    def consider(i):
        if 0 <= i and links[i][1] < n:
            rank = ranks.get((parts[i], parts[links[i][1]]))
            if rank is not None:
                insort(todo, (-rank, -i, parts[i], parts[links[i][1]]))

    for i in range(n - 1):
        consider(i)
    while todo:
        _, i, left, right = todo.pop()
        i = -i
        j = links[i][1]
        if parts[i] == left and j < n and parts[j] == right:
            parts[i], parts[j] = left + right, None
            links[i][1] = links[j][1]
            if links[j][1] < n:
                links[links[j][1]][0] = i
            consider(links[i][0])
            consider(i)
    return [part for part in parts if part is not None]
