"""Records what advantage estimators must answer, as `advantages.json` beside this script.

    pip install -r requirements.txt && python advantages.py

Everything is summed forward from its definition in float64, without the recursions that a library would use. An end
is 0 (the episode goes on), 1 (terminated) or 2 (truncated). Arrays are time-major: step t of lane n stands at t * N + n.
"""

import json
from pathlib import Path

import numpy

TERMINATED, TRUNCATED = 1, 2


def rollout(rng, steps, lanes, p_terminated, p_truncated):
    """Rewards, values, values of the states led to, and ends, each `[T, N]`, in two decimals."""
    reward = rng.normal(0.5, 1.0, (steps, lanes)).round(2)
    value = rng.normal(0.0, 3.0, (steps, lanes)).round(2)
    uniform = rng.random((steps, lanes))
    end = numpy.where(uniform < p_terminated, TERMINATED, 0)
    end = numpy.where(uniform > 1.0 - p_truncated, TRUNCATED, end)
    next_value = rng.normal(0.0, 3.0, (steps, lanes)).round(2)
    next_value[:-1] = numpy.where(end[:-1] == 0, value[1:], next_value[:-1])
    # The value of a terminal state counts nowhere: whoever reads it will show it.
    next_value = numpy.where(end == TERMINATED, 1000.0, next_value)
    return reward, value, next_value, end


def reach(end, t, n):
    """How many steps of the episode that step t belongs to are in the window from t on."""
    k = 0
    while t + k < len(end):
        k += 1
        if end[t + k - 1, n] != 0:
            break
    return k


def k_step_return(reward, next_value, end, t, n, k, gamma):
    """k rewards of one episode and then the critic's word, unless the episode terminated."""
    total = sum(gamma**i * reward[t + i, n] for i in range(k))
    if end[t + k - 1, n] != TERMINATED:
        total += gamma**k * next_value[t + k - 1, n]
    return total


def n_step(reward, next_value, end, gamma, n_steps):
    at = lambda t, n: k_step_return(reward, next_value, end, t, n, min(n_steps, reach(end, t, n)), gamma)
    return over(end, at)


def reward_to_go(reward, next_value, end, gamma):
    return over(end, lambda t, n: k_step_return(reward, next_value, end, t, n, reach(end, t, n), gamma))


def gae(reward, value, next_value, end, gamma, lam):
    """The exponentially weighted mean of all k-step advantages (Schulman et al. 2016, eq. 16), the rest of the weight
    on the longest one that the window allows."""

    def at(t, n):
        m = reach(end, t, n)
        advantages = [k_step_return(reward, next_value, end, t, n, k, gamma) - value[t, n] for k in range(1, m + 1)]
        weights = [(1.0 - lam) * lam ** (k - 1) for k in range(1, m)] + [lam ** (m - 1)]
        return sum(w * a for w, a in zip(weights, advantages))

    return over(end, at)


def gae_by_differences(reward, value, next_value, end, gamma, lam):
    """The double sum of discounted temporal differences: another way to the same numbers."""

    def delta(t, n):
        bootstrap = 0.0 if end[t, n] == TERMINATED else next_value[t, n]
        return reward[t, n] + gamma * bootstrap - value[t, n]

    return over(end, lambda t, n: sum((gamma * lam) ** i * delta(t + i, n) for i in range(reach(end, t, n))))


def gae_of_stable_baselines3(reward, value, next_value, end, gamma, lam):
    """`RolloutBuffer.compute_returns_and_advantage` of Stable-Baselines3 2.x written out; it knows no truncation."""
    starts = numpy.zeros_like(reward)
    starts[1:] = end[:-1] != 0
    advantages = numpy.zeros_like(reward)
    last = 0.0
    for step in reversed(range(len(reward))):
        if step == len(reward) - 1:
            non_terminal, following = 1.0 - (end[step] != 0), next_value[step]
        else:
            non_terminal, following = 1.0 - starts[step + 1], value[step + 1]
        delta = reward[step] + gamma * following * non_terminal - value[step]
        last = delta + gamma * lam * non_terminal * last
        advantages[step] = last
    return advantages


def over(end, at):
    steps, lanes = end.shape
    return numpy.array([[at(t, n) for n in range(lanes)] for t in range(steps)])


def flat(x):
    return [float(f"{v:.8g}") for v in x.ravel()]


def main():
    rng = numpy.random.default_rng(20)
    cases = []
    for steps, lanes, p_terminated, p_truncated, gamma, lam, n_steps in [
        (1, 1, 0.0, 0.0, 0.99, 0.95, 1),
        (1, 3, 0.4, 0.4, 0.9, 0.5, 4),
        (2, 1, 0.0, 1.0, 0.99, 0.95, 2),
        (5, 2, 1.0, 0.0, 0.99, 0.95, 3),
        (7, 5, 0.2, 0.2, 0.99, 0.95, 3),
        (16, 4, 0.1, 0.0, 0.99, 0.95, 5),
        (16, 3, 0.0, 0.15, 1.0, 1.0, 16),
        (17, 2, 0.1, 0.1, 0.0, 0.7, 2),
        (33, 3, 0.05, 0.05, 0.95, 0.0, 1),
        (33, 1, 0.0, 0.0, 0.999, 0.98, 100),
        (40, 2, 0.05, 0.1, 1.0, 0.9, 7),
        (64, 5, 0.03, 0.03, 0.99, 0.95, 5),
        (64, 2, 0.06, 0.0, 0.9, 1.0, 10),
    ]:
        reward, value, next_value, end = rollout(rng, steps, lanes, p_terminated, p_truncated)
        advantage = gae(reward, value, next_value, end, gamma, lam)
        assert numpy.allclose(advantage, gae_by_differences(reward, value, next_value, end, gamma, lam), atol=1e-10)
        if TRUNCATED not in end:
            theirs = gae_of_stable_baselines3(reward, value, next_value, end, gamma, lam)
            assert numpy.allclose(advantage, theirs, atol=1e-10)
        unseen = numpy.zeros_like(next_value)
        cases.append(
            {
                "lanes": lanes,
                "gamma": gamma,
                "gae_lambda": lam,
                "n_steps": n_steps,
                "reward": flat(reward),
                "value": flat(value),
                "next_value": flat(next_value),
                "end": [int(e) for e in end.ravel()],
                "gae": flat(advantage),
                "n_step": flat(n_step(reward, next_value, end, gamma, n_steps)),
                "reward_to_go": flat(reward_to_go(reward, next_value, end, gamma)),
                "reward_to_go_without_critic": flat(reward_to_go(reward, unseen, end, gamma)),
            }
        )
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
