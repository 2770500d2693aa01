"""What policies that see their cell alone come to on frozen lakes within the limit of steps: the figures of examples/worlds/README.md.

On the small lake the most of all 4^11 policies; on the large one, which has too many, the best that changes of one cell at a time lead
to from policies that are the best without a limit. Takes two minutes.
"""

import numpy as np

SMALL = ["SFFF", "FHFH", "FFFH", "HFFG"]
LARGE = ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"]
WAYS = [(0, -1), (1, 0), (0, 1), (-1, 0)]


def model(lake):
    """`[S, A, S]` probabilities of going on, and `[S, A]` expected rewards."""
    rows, columns = len(lake), len(lake[0])
    cells = rows * columns
    going_on, reward = np.zeros((cells, 4, cells)), np.zeros((cells, 4))
    for cell in range(cells):
        row, column = divmod(cell, columns)
        if lake[row][column] in "HG":
            continue
        for action in range(4):
            for slipped in (action - 1, action, action + 1):
                down, right = WAYS[slipped % 4]
                to = min(max(row + down, 0), rows - 1), min(max(column + right, 0), columns - 1)
                going_on[cell, action, to[0] * columns + to[1]] += 1 / 3
                reward[cell, action] += (lake[to[0]][to[1]] == "G") / 3
    return going_on, reward


def worth(going_on, reward, policy, limit):
    cells, value = np.arange(len(reward)), np.zeros(len(reward))
    for _ in range(limit):
        value = reward[cells, policy] + going_on[cells, policy] @ value
    return value[0]


def most_of_all(going_on, reward, limit, at_once=4**8):
    live = [cell for cell in range(len(reward)) if going_on[cell].any() or reward[cell].any()]
    best = 0.0
    for first in range(0, 4 ** len(live), at_once):
        number = np.arange(first, first + at_once)
        choices = [number // 4**k % 4 for k in range(len(live))]
        value = np.zeros((len(reward), at_once))
        for _ in range(limit):
            following = np.zeros_like(value)
            for cell, choice in zip(live, choices):
                for action in range(4):
                    chosen = np.flatnonzero(choice == action)
                    if len(chosen):
                        to = np.flatnonzero(going_on[cell, action])
                        ways = (going_on[cell, action, t] * value[t, chosen] for t in to if t in live)
                        following[cell, chosen] = reward[cell, action] + sum(ways)
            value = following
        best = max(best, value[0].max())
    return best


def climbed(going_on, reward, limit):
    best = 0.0
    for gamma in (1, 0.999, 0.99, 0.97, 0.95, 0.9):
        value = np.zeros(len(reward))
        for _ in range(20_000):
            ways = reward + gamma * going_on @ value
            value = ways.max(1)
        policy = ways.argmax(1)
        now, moved = worth(going_on, reward, policy, limit), True
        while moved:
            moved = False
            for cell in range(len(reward)):
                for action in range(4):
                    other = policy.copy()
                    other[cell] = action
                    then = worth(going_on, reward, other, limit)
                    if then > now + 1e-12:
                        policy, now, moved = other, then, True
        best = max(best, now)
    return best


print(f"large: {climbed(*model(LARGE), 200):.4f}", flush=True)
print(f"small: {most_of_all(*model(SMALL), 100):.4f}")
