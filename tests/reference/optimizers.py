"""Records what the reference implementation of every optimizer does, for `tests/optim`.

    pip install -r requirements.txt && pip install --no-deps timm==1.0.20
    OMP_NUM_THREADS=1 python ppo_gradients.py && OMP_NUM_THREADS=1 python optimizers.py

make `ppo_gradients.safetensors`, `optimizers.json` and `optimizers_ppo.safetensors` beside this script, in float64, so
that the numbers are the equations' and not a rounding's. `python optimizers.py float32` makes nothing, but shows how
far the same references come from these numbers when they compute in float32 themselves: what is reached cannot be
asked of others. Words after it choose the rows whose spec has one of them.

Every row is one of our specs on one problem. Gradients are those at our own parameters on `quadratic`, where errors add
up. On `rosenbrock` the last bit of a float32 parameter changes the gradient's direction in the fifth digit, in any
library: there, and where else a row says so, the gradients are given, so that the optimizer alone is compared.
"""

import json
import sys
from importlib.metadata import version

import numpy
import torch
from safetensors.torch import save_file

import problems
import rows_numpy
import rows_optax
import rows_torch
from problems import HERE, RECORDED, RECORDED_PPO, STEPS, Ppo, Quadratic, Rosenbrock, run

PACKAGES = ("torch", "optax", "jax", "schedulefree", "timm", "numpy", "scipy", "gymnasium")


def rows():
    """Spec, source, problem, maker, and as options of the run whether the gradients are given, steps an update, and
    whether gradients are spoiled; a learning rate a problem."""
    for spec, source, make, rates, *options in rows_torch.ROWS + rows_optax.ROWS + rows_numpy.ROWS:
        options = options[0] if options else {}
        for problem, lr in zip((Quadratic(), Rosenbrock(), Ppo()), rates):
            if lr is None:
                continue
            problem.recorded = options.get("recorded", problem.recorded)
            replayed = problem.name == "rosenbrock" or problem.name in options.get("replayed", ())
            run_options = {"replayed": replayed, "steps_per_update": options.get("steps_per_update")}
            run_options["spoiled"] = options.get("spoiled", False)
            yield spec.replace("{lr}", f"{lr:.10g}"), source, problem, make(lr), run_options


def short(values):
    return [float(f"{value:.10g}") for value in values]


def record():
    recorded, tensors = [], {}
    for spec, source, problem, make, options in rows():
        parameters, evaluation, gradients = run(problem, make, **options)
        assert all(numpy.isfinite(p).all() for p in parameters), (spec, problem.name)
        row = {"spec": spec, "problem": problem.name, "source": source}
        if options["steps_per_update"]:
            row["steps_per_update"] = options["steps_per_update"]
        if problem.recorded != type(problem).recorded:
            row["recorded"] = problem.recorded
        if problem.name == "ppo":
            assert spec not in tensors, spec
            tensors[spec] = torch.tensor(numpy.array(parameters)).float()
            if evaluation:
                tensors[spec + " evaluation"] = torch.tensor(numpy.array(evaluation)).float()
        else:
            as_float32 = lambda g: [float(str(v)) if numpy.isfinite(v) else str(v) for v in g.astype(numpy.float32)]
            row["gradients"] = [as_float32(g) for g in gradients] or None
            row["parameters"] = [short(p) for p in parameters]
            if evaluation:
                row["evaluation"] = [short(p) for p in evaluation]
        recorded.append(row)
    described = {p.name: {"blocks": list(p.blocks.items())} for p in (Quadratic, Rosenbrock, Ppo)}
    described["quadratic"] |= {"curvature": problems.CURVATURE, "start": Quadratic.start}
    described["rosenbrock"] |= {"start": Rosenbrock.start}
    head = {"versions": {package: version(package) for package in PACKAGES}, "steps": STEPS}
    head |= {"recorded": RECORDED, "recorded_ppo": RECORDED_PPO, "problems": described}
    # A line a row, and a line a fact above them.
    facts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines = ",\n".join(json.dumps(row) for row in recorded)
    (HERE / "optimizers.json").write_text("{\n" + ",\n".join(facts) + ',\n"rows": [\n' + lines + "\n]}\n")
    save_file(tensors, HERE / "optimizers_ppo.safetensors")
    print(f"{len(recorded)} rows, {len(set(row['spec'].split('(')[0] for row in recorded))} kinds")


def compare_float32(words):
    """How far float32 comes from float64, relative to the parameters and to the way they went, for each row whose spec
    has one of the words."""
    for spec, source, problem, make, options in rows():
        if words and not any(word in spec for word in words):
            continue
        exact, _, given = run(problem, make, **options)
        options["replayed"] = given if options["replayed"] else False
        rounded, _, _ = run(problem, make, **options, dtype=numpy.float32)
        norm, start = numpy.linalg.norm, numpy.array(problem.start)
        size = max(norm(a - b) / norm(a) for a, b in zip(exact, rounded))
        way = norm(exact[-1] - rounded[-1]) / norm(exact[-1] - start)
        mark = "!!" if size > 3e-6 else "  "
        moved = norm(exact[-1] - start) / norm(start)
        print(f"{mark} {size:.1e} {way:.1e} moved {moved:.1e}  {problem.name:10} {spec}", flush=True)


if __name__ == "__main__":
    compare_float32(sys.argv[2:]) if sys.argv[1:2] == ["float32"] else record()
