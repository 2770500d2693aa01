"""Records what PyTorch says of recurrent cells along lanes that begin episodes, as `recurrent.json` beside this script.

    pip install -r requirements.txt && python recurrent.py

`torch.nn.GRUCell` and `torch.nn.LSTMCell` in float64, step by step; where a step begins an episode, what was remembered is
zero. The gradients are those of `sum(w * h)` over all steps, `w` given, in every parameter.
"""

import json
from pathlib import Path

import torch


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().double().flatten().tolist()]


def case(generator, kind, inputs, units, steps, lanes, begins):
    def normal(*shape, scale=1.0):
        # Numbers that a float32 holds as well, so that both sides start from the same ones.
        return (torch.randn(*shape, generator=generator) * scale).float().double()

    cell = {"gru": torch.nn.GRUCell, "lstm": torch.nn.LSTMCell}[kind](inputs, units).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(normal(*parameter.shape, scale=0.7))
    observation, weight = normal(steps, lanes, inputs), normal(steps, lanes, units)
    states = 2 if kind == "lstm" else 1
    memory = normal(lanes, states * units, scale=0.5)
    state, outputs = list(memory.split(units, 1)), []
    for t in range(steps):
        kept = torch.tensor([0.0 if (t, lane) in begins else 1.0 for lane in range(lanes)]).double()[:, None]
        state = [part * kept for part in state]
        after = cell(observation[t], tuple(state) if states == 2 else state[0])
        state = list(after) if states == 2 else [after]
        outputs.append(state[0])
    h = torch.stack(outputs)
    gradients = torch.autograd.grad((weight * h).sum(), list(cell.parameters()))
    names = [name for name, _ in cell.named_parameters()]
    return {
        "cell": kind,
        "inputs": inputs,
        "units": units,
        "steps": steps,
        "lanes": lanes,
        "begins": [(t, lane) in begins for t in range(steps) for lane in range(lanes)],
        "observation": flat(observation),
        "memory": flat(memory),
        "parameters": {name: flat(parameter) for name, parameter in cell.named_parameters()},
        "output": flat(h),
        "last": flat(torch.cat(state, 1)),
        "weight": flat(weight),
        "gradients": {name: flat(gradient) for name, gradient in zip(names, gradients)},
    }


def main():
    generator = torch.Generator().manual_seed(21)
    cases = [
        case(generator, kind, inputs, units, steps, lanes, begins)
        for kind in ["gru", "lstm"]
        for inputs, units, steps, lanes, begins in [
            (3, 5, 5, 3, {(2, 0), (3, 2), (4, 0)}),
            (1, 1, 1, 1, set()),
            (2, 4, 4, 2, {(1, 0), (1, 1)}),
        ]
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_suffix(".json").write_text(f'{{"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
