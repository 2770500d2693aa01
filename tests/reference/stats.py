"""Records what statistics of runs must answer, as `stats.json` beside this script.

    pip install -r requirements.txt && python stats.py        # some minutes, most of them in mannwhitneyu

Aggregates, profiles, probabilities of improvement and their intervals are rliable's own functions; the share of runs
that have not reached a threshold is lifelines'. Scores are `[runs, tasks]`.

Every bootstrap is there twice: with 200 replicates and the runs that each drew, a digit for every run and task in the
order of the scores, so that another implementation can take the statistic of the very same resamples; and with 50,000
replicates, which another implementation's own draws must come near.
"""

import json
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from rliable import library, metrics

HERE = Path(__file__).parent
FEW, MANY = 200, 50_000
LEVELS = [0.95, 0.8]
TAU = [-0.5, 0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.8, 1.0, 2.0, 10.0]


def methods():
    """Scores of methods on three tasks and on four, of which no run is left out for having failed."""
    rng = numpy.random.default_rng(20210813)
    tied = rng.choice([0.2, 0.5, 0.6, 0.8, 1.0], (10, 3))
    tied[[0, 3], 0] = 0.0  # diverged
    tied[7, 2] = 0.0
    return {
        "steady": rng.normal([0.8, 0.6, 0.7], 0.08, (10, 3)).round(3),
        "tied": tied,
        "skewed": (rng.lognormal(-0.9, 1.1, (10, 3)) - 0.1).round(3),
        "seven": rng.beta(2.0, 1.5, (7, 3)).round(3),
        "one": numpy.array([[0.42, 0.9, 0.1]]),
        "four tasks": rng.beta(3.0, 1.0, (5, 4)).round(3),
    }


AGGREGATES = {
    "iqm": metrics.aggregate_iqm,
    "mean": metrics.aggregate_mean,
    "median": metrics.aggregate_median,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def quantities(scores):
    """All that is asked of one method: the aggregates, then both profiles."""
    aggregates = [statistic(scores) for statistic in AGGREGATES.values()]
    profiles = [library.score_distributions(scores, TAU), library.average_score_distributions(scores, TAU)]
    return numpy.concatenate([aggregates, *profiles])


def improvement(x, y):
    return numpy.array([metrics.probability_of_improvement(x, y)])


class Recorded(library.StratifiedBootstrap):
    """Keeps what it drew."""

    def update_indices(self):
        indices = super().update_indices()
        self.drawn = getattr(self, "drawn", []) + ["".join(map(str, indices[0].ravel()))]
        return indices


class RecordedTwo(library.StratifiedIndependentBootstrap):
    """Keeps what it drew of both."""

    def update_indices(self):
        positional, named = super().update_indices()
        drawn = [["".join(map(str, indices[0].ravel()))] for indices in positional]
        self.drawn = [a + b for a, b in zip(getattr(self, "drawn", [[], []]), drawn)]
        return positional, named


def intervals(bootstrap, statistic, reps, levels):
    """`[levels][quantities][low, high]`, all from one set of draws. rliable draws from numpy's global generator."""
    numpy.random.seed(7)
    first = bootstrap.conf_int(statistic, reps=reps, size=levels[0], method="percentile")
    rest = [bootstrap.conf_int(statistic, size=s, reps=reps, method="percentile", reuse=True) for s in levels[1:]]
    return [ends.T.tolist() for ends in (first, *rest)]


def of_one(name, scores):
    recorded = Recorded(scores)
    record = {"name": name, "scores": scores.tolist(), "point": quantities(scores).tolist()}
    record["few"] = intervals(recorded, quantities, FEW, LEVELS)
    record["drawn"] = recorded.drawn
    record["many"] = intervals(library.StratifiedBootstrap(scores), quantities, MANY, LEVELS[:1])[0]
    return record


def of_two(x_name, y_name, x, y):
    recorded = RecordedTwo(x, y)
    record = {"x": x_name, "y": y_name, "point": improvement(x, y).tolist()}
    record["few"] = intervals(recorded, improvement, FEW, LEVELS)
    record["drawn_x"], record["drawn_y"] = recorded.drawn
    many = library.StratifiedIndependentBootstrap(x, y)
    record["many"] = intervals(many, improvement, MANY, LEVELS[:1])[0] if (x_name, y_name) in PAIRS_MANY else None
    return record


PAIRS_MANY = [("steady", "tied"), ("seven", "skewed")]


# Steps at which runs reached a threshold, and whether they did.
SURVIVAL = {
    "all reach it": [(3, 1), (5, 1), (5, 1), (8, 1), (13, 1), (21, 1)],
    "a budget": [(20, 1), (35, 1), (35, 1), (40, 1), (60, 1), (100, 0), (100, 0), (100, 0)],
    "exactly half": [(10, 1), (20, 1), (30, 1), (40, 1), (50, 1), (90, 0), (90, 0), (90, 0), (90, 0), (90, 0)],
    # 9/10 · 7/9 · 5/7, which is a rounding above a half in float64.
    "half by pairs": [(10, 1), (20, 1), (20, 1), (40, 1), (40, 1), (90, 1), (90, 0), (90, 0), (90, 0), (90, 0)],
    "uneven ends": [(4, 1), (6, 0), (6, 1), (9, 1), (10, 0), (12, 1), (15, 0), (20, 1), (22, 0)],
    "most never": [(30, 1), (70, 1), (80, 0), (100, 0), (100, 0), (100, 0), (100, 0)],
    "none": [(100, 0), (100, 0), (100, 0)],
    "one": [(17, 1)],
}


def exact_median(runs):
    """The same product in rational numbers, for the half of it is sharp."""
    share = Fraction(1)
    for at in sorted({at for at, reached in runs if reached}):
        at_risk = sum(end >= at for end, _ in runs)
        share *= 1 - Fraction(sum(end == at and reached for end, reached in runs), at_risk)
        if share <= Fraction(1, 2):
            return float(at)
    return numpy.inf


def kaplan_meier(runs, at, horizon):
    ends, reached = zip(*runs)
    fitted = KaplanMeierFitter().fit(ends, reached)
    return {
        "share_not_reached": fitted.survival_function_at_times(at).tolist(),
        "median": exact_median(runs),
        "lifelines_median": float(fitted.median_survival_time_),
        "restricted_mean": float(restricted_mean_survival_time(fitted, t=horizon)),
    }


def percentile(values, level):
    """numpy.percentile, for which an infinity among the neighbours is no number."""
    huge = 1e300
    ends = numpy.percentile(numpy.minimum(values, huge), [50 - 50 * level, 50 + 50 * level])
    return [None if end > huge / 1e20 else float(end) for end in ends]


def survival(name, runs):
    at = sorted({0, *(end for end, _ in runs), *(end + 1 for end, _ in runs)})
    horizons = [max(end for end, _ in runs) // 2, max(end for end, _ in runs)]
    record = {"name": name, "runs": runs, "at": at, "horizons": horizons}
    fits = [kaplan_meier(runs, at, horizon) for horizon in horizons]
    none = lambda value: None if numpy.isinf(value) else value
    record["share_not_reached"] = fits[0]["share_not_reached"]
    record["median"] = none(fits[0]["median"])
    record["restricted_mean"] = [fit["restricted_mean"] for fit in fits]
    if fits[0]["median"] != fits[0]["lifelines_median"]:
        print(f"{name}: lifelines rounds the median to {fits[0]['lifelines_median']}, exactly {fits[0]['median']}")
    rng = numpy.random.default_rng(11)
    drawn = rng.integers(0, len(runs), (FEW, len(runs)))
    again = [kaplan_meier([runs[i] for i in indices], at, horizons[1]) for indices in drawn]
    record["drawn"] = ["".join(map(str, indices)) for indices in drawn]
    record["median_ends"] = [percentile([fit["median"] for fit in again], level) for level in LEVELS]
    record["restricted_mean_ends"] = [percentile([fit["restricted_mean"] for fit in again], level) for level in LEVELS]
    return record


CURVES = [
    ([0, 1000, 3000, 3500, 10000], [0.0, 10.5, 22.25, 21.0, 195.5]),
    ([2048, 4096, 6144], [-200.0, -150.0, -110.0]),
    ([500, 1500], [3.0, 1.0]),
    ([1, 2, 1_000_000_007], [1e6, -1e6, 12.5]),
]


def area(env_steps, score):
    steps = numpy.array(env_steps, float)
    return float(numpy.trapezoid(score, steps) / (steps[-1] - steps[0]))


GRID = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]


def sensitivity():
    """A hump of normalised scores over learning rates, `[lr, runs, tasks]`, and the share of it near its top."""
    rng = numpy.random.default_rng(5)
    top = numpy.array([0.3, 0.82, 0.9, 0.85, 0.5, 0.0])
    scores = (top[:, None, None] + rng.normal(0.0, 0.05, (6, 5, 2))).round(3)
    curve = numpy.array([metrics.aggregate_iqm(s) for s in scores])
    shares = [float(numpy.mean(curve >= near * curve.max())) for near in (0.5, 0.9, 1.0)]
    return {"lr": GRID, "scores": scores.tolist(), "iqm": curve.tolist(), "near": [0.5, 0.9, 1.0], "shares": shares}


scores = methods()
pairs = [("steady", "tied"), ("tied", "steady"), ("tied", "tied"), ("seven", "skewed"), ("one", "steady")]
packages = ("rliable", "arch", "scipy", "numpy", "lifelines")
facts = {
    "versions": {package: version(package) for package in packages},
    "levels": LEVELS,
    "tau": TAU,
    "sensitivity": sensitivity(),
}
groups = {
    "curves": [{"env_steps": t, "score": x, "area": area(t, x)} for t, x in CURVES],
    "survival": [survival(name, runs) for name, runs in SURVIVAL.items()],
    "methods": [of_one(name, values) for name, values in scores.items()],
    "pairs": [of_two(x, y, scores[x], scores[y]) for x, y in pairs],
}
lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items()]
for name, group in groups.items():
    lines.append(f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in group) + "\n]")
(HERE / "stats.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print({name: len(group) for name, group in groups.items()})
