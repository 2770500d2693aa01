"""Records what torch.optim does with two problems, for tests/optim.rs.

    pip install -r requirements.txt && python optimizers.py > optimizers.json

Everything runs in float64, so that the numbers are the equations' and not a rounding's.
"""

import json

import torch

torch.set_default_dtype(torch.float64)
STEPS, RECORDED = 100, (1, 2, 10, 50, 100)

# 16 dimensions, condition number 1e4; minimum at 0.
CURVATURE = [10.0 ** (-3.0 + 4.0 * i / 15.0) for i in range(16)]


def quadratic(x):
    return 0.5 * (torch.tensor(CURVATURE) * x * x).sum()


def rosenbrock(x):
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


# Starting points are exact in float32.
PROBLEMS = {
    "quadratic": (quadratic, [1.0 + 0.125 * (i % 5) * (-1.0) ** i for i in range(16)]),
    "rosenbrock": (rosenbrock, [-0.5, 0.75]),
}

SGD, RMSPROP, ADAM, ADAMW = torch.optim.SGD, torch.optim.RMSprop, torch.optim.Adam, torch.optim.AdamW
# name, torch class, its arguments, max_grad_norm, max_grad_value, whether lr falls to 0; a learning rate a problem
# (None leaves the problem out).
ROWS = [
    ("sgd", SGD, {}, None, None, False, (0.05, 5e-4)),
    ("sgd", SGD, {"weight_decay": 0.1}, None, None, False, (0.05, 5e-4)),
    ("sgd", SGD, {}, None, None, True, (0.05, 5e-4)),
    ("momentum", SGD, {"momentum": 0.9}, None, None, False, (0.01, 1e-4)),
    ("momentum", SGD, {"momentum": 0.9, "weight_decay": 0.1}, 1.0, None, True, (0.01, 1e-3)),
    ("rmsprop", RMSPROP, {"alpha": 0.99, "eps": 1e-5}, None, None, False, (1e-3, 1e-3)),
    ("rmsprop", RMSPROP, {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.1}, None, 0.5, False, (1e-3, 1e-3)),
    ("adam", ADAM, {"eps": 1e-8}, None, None, False, (1e-2, 1e-2)),
    ("adam", ADAM, {"eps": 1e-5, "weight_decay": 0.1}, None, None, False, (1e-2, 1e-2)),
    ("adam", ADAM, {"eps": 1e-5}, 0.5, None, True, (1e-2, 1e-2)),
    ("adam", ADAM, {"eps": 1e-5}, 0.5, 0.25, False, (1e-2, None)),
    # Clipped all along, a gradient is constant, and so is the rounding of each float32 step: here it is clipped at first.
    ("adam", ADAM, {"eps": 1e-5}, 120.0, 90.0, False, (None, 1e-2)),
    ("adamw", ADAMW, {"eps": 1e-8, "weight_decay": 0.01}, None, None, False, (1e-2, 1e-2)),
    ("adamw", ADAMW, {"eps": 1e-5, "weight_decay": 0.1}, 0.5, None, True, (1e-2, 1e-2)),
]


def run(problem, cls, arguments, max_grad_norm, max_grad_value, anneal, lr):
    loss, start = PROBLEMS[problem]
    half = len(start) // 2
    # Two tensors, so that a norm over all parameters differs from a norm of each.
    blocks = [torch.tensor(start[:half], requires_grad=True), torch.tensor(start[half:], requires_grad=True)]
    optimizer = cls(blocks, lr=lr, **arguments)
    recorded, gradients = [], []
    for step in range(STEPS):
        if anneal:
            optimizer.param_groups[0]["lr"] = lr * (1.0 - step / STEPS)
        optimizer.zero_grad()
        loss(torch.cat(blocks)).backward()
        gradients.append(torch.cat([block.grad for block in blocks]).tolist())
        if max_grad_value is not None:
            torch.nn.utils.clip_grad_value_(blocks, max_grad_value)
        if max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(blocks, max_grad_norm)
        optimizer.step()
        if step + 1 in RECORDED:
            recorded.append(torch.cat(blocks).tolist())
    # On Rosenbrock's function the last bit of a float32 parameter changes the clipped gradient's direction in the fifth
    # digit, in PyTorch as anywhere: there the gradients are given, so that the optimizer alone is compared.
    return {"parameters": recorded, "gradients": gradients if problem == "rosenbrock" else None}


rows = []
for name, cls, arguments, max_grad_norm, max_grad_value, anneal, rates in ROWS:
    for problem, lr in zip(PROBLEMS, rates):
        if lr is None:
            continue
        row = {"optimizer": name, "problem": problem, "lr": lr, "anneal": anneal, "arguments": arguments}
        row |= {"max_grad_norm": max_grad_norm, "max_grad_value": max_grad_value}
        row |= run(problem, cls, arguments, max_grad_norm, max_grad_value, anneal, lr)
        rows.append(row)
problems = {name: start for name, (_, start) in PROBLEMS.items()}
print(json.dumps({"torch": torch.__version__, "recorded": RECORDED, "start": problems, "rows": rows}, indent=None))
