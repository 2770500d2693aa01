"""What the network of Atari games takes on one core, beside PyTorch: learning from a minibatch and acting.

    cargo bench --bench beside_torch --no-run        # prints where the program is
    taskset -c 1 python scripts/beside-torch.py target/release/deps/beside_torch-...

Both begin with the bytes of images as a rollout keeps them, and learning ends with moved parameters: forward, PPO's loss, backward,
clipping by global norm, Adam. Rounds go in turn, so what else the machine does meets both. Torch is asked in each layout of
memory and the better one counts. Needs torch and NumPy.
"""

import statistics
import subprocess
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
ACTIONS = 6


class Network(nn.Module):
    """What Stable-Baselines3 calls NatureCNN, with both heads."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(4, 32, 8, 4), nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(),
        )  # fmt: skip
        self.policy, self.value = nn.Linear(512, ACTIONS), nn.Linear(512, 1)

    def forward(self, images):
        hidden = self.trunk(images.float() / 255)
        return self.policy(hidden), self.value(hidden).squeeze(1)


def images(rows, layout):
    shown = torch.randint(0, 256, (rows, 4, 84, 84), dtype=torch.uint8)
    return shown.contiguous(memory_format=layout)


def learn(rows, layout):
    network = Network().to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=2.5e-4, eps=1e-5, fused=True)
    x, action = images(rows, layout), torch.arange(rows) % ACTIONS
    advantage = torch.arange(rows) % 7 / 7 - 0.4
    log_prob, target = torch.full((rows,), -1.7), advantage

    def step():
        logits, value = network(x)
        choice = torch.log_softmax(logits, 1)
        ratio = (choice.gather(1, action[:, None]).squeeze(1) - log_prob).exp()
        gain = torch.min(advantage * ratio, advantage * ratio.clamp(0.8, 1.2)).mean()
        entropy = -(choice.exp() * choice).sum(1).mean()
        loss = -gain + 0.5 * nn.functional.mse_loss(value, target) - 0.01 * entropy
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()

    return step


def act(rows, layout):
    network, x = Network().to(memory_format=layout), images(rows, layout)

    def step():
        with torch.inference_mode():
            network(x)

    return step


def seconds(step):
    begun = time.process_time()
    step()
    return time.process_time() - begun


def main(program, rounds):
    ours = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        ours.stdin.write(line + "\n")
        ours.stdin.flush()
        return float(ours.stdout.readline())

    print("| images | uphill, ms | torch, ms | channels last, ms | uphill / the better of torch |\n|---|---|---|---|---|")
    cases = [("learn", learn, 256), ("learn", learn, 64), ("act", act, 8), ("act", act, 16), ("act", act, 128)]
    for what, make, rows in cases:
        layouts = [make(rows, layout) for layout in (torch.contiguous_format, torch.channels_last)]
        kinds = [lambda: ask(f"{what} nature_cnn {rows}"), *(lambda step=step: seconds(step) for step in layouts)]
        for kind in kinds:
            kind(), kind()
        several = max(1, 256 // rows)
        took = [[] for _ in kinds]
        for _ in range(rounds):
            for kind, times in zip(kinds, took):
                times.append(min(kind() for _ in range(several)) if what == "act" else kind())
        us, first, last = (1e3 * statistics.median(times) for times in took)
        # In turn, so each round is a pair of its own.
        ratio = statistics.median(t[0] / min(t[1:]) for t in zip(*took))
        print(f"| {what} {rows} | {us:.2f} | {first:.2f} | {last:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15)
