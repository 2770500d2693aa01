"""Records what PyTorch says of convolutional networks, as `convolution.json` beside this script.

    pip install -r requirements.txt && python convolution.py

Networks of images in float64, by `torch.nn.functional`: what they put out, and gradients of `sum(w * outputs) + sum(v * values)`.
Images, parameters, `w` and `v` are not stored: each is a hash of its index, which both sides compute, exact in float32. Of a
gradient every `STRIDE`-th number of each block is. A filter is stored row by row, pixel by pixel, channels last.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

STRIDE = 61


def hashed(n, seed):
    """Numbers in [-0.5, 0.5)."""
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 2654435761 + seed * 97) % 2**32) // 2**8).double() / 2**24 - 0.5


def scale(fan):
    """A power of two near 2 / sqrt(fan)."""
    return 2.0 ** math.floor(math.log2(2 / math.sqrt(fan)) + 0.25)


def flat(x):
    return [float(f"{v:.9g}") for v in x.detach().flatten().tolist()]


class Blocks:
    """Parameters by their names, in the order in which they are asked for."""

    def __init__(self):
        self.blocks = {}

    def __call__(self, name, *shape):
        x = hashed(math.prod(shape), len(self.blocks) + 1)
        x = x * scale(shape[1]) if len(shape) == 2 else x * 0.25
        self.blocks[name] = x.reshape(shape).requires_grad_()
        return self.blocks[name]


def conv(blocks, name, x, filters, side, stride, padding):
    channels = x.shape[1]
    weight = blocks(f"{name}.weight", filters, side * side * channels)
    weight = weight.reshape(filters, side, side, channels).permute(0, 3, 1, 2)
    return F.conv2d(x, weight, blocks(f"{name}.bias", filters), stride, padding)


def minatar(blocks, name, x):
    return F.relu(conv(blocks, f"{name}.0", x, 16, 3, 1, 0))


def nature(blocks, name, x):
    x = F.relu(conv(blocks, f"{name}.0", x, 32, 8, 4, 0))
    x = F.relu(conv(blocks, f"{name}.2", x, 64, 4, 2, 0))
    return F.relu(conv(blocks, f"{name}.4", x, 64, 3, 1, 0))


def impala(blocks, name, x):
    for section, filters in enumerate([4, 6]):
        x = conv(blocks, f"{name}.{4 * section}", x, filters, 3, 1, 1)
        x = F.max_pool2d(x, 3, 2, 1)
        for block in (4 * section + 2, 4 * section + 3):
            y = conv(blocks, f"{name}.{block}.0", F.relu(x), filters, 3, 1, 1)
            x = x + conv(blocks, f"{name}.{block}.1", F.relu(y), filters, 3, 1, 1)
    return F.relu(x)


def body(blocks, trunk, name, x, hidden):
    y = trunk(blocks, name, x).permute(0, 2, 3, 1).flatten(1)
    for l, units in enumerate(hidden):
        at = f"{name}.hidden.{l}"
        y = F.relu(F.linear(y, blocks(f"{at}.weight", units, y.shape[1]), blocks(f"{at}.bias", units)))
    return y


def case(word, trunk, image, largest, batch, actions, hidden, shared=True):
    height, width, channels = image
    numbers = batch * height * width * channels
    observation = torch.floor((hashed(numbers, 11) + 0.5) * (largest + 1))
    x = (observation / largest).reshape(batch, height, width, channels).permute(0, 3, 1, 2)
    blocks = Blocks()
    if shared:
        y = body(blocks, trunk, "trunk", x, hidden)
        actor, critic = blocks("actor.head.weight", actions, y.shape[1]), blocks("critic.head.weight", 1, y.shape[1])
        outputs = F.linear(y, actor, blocks("actor.head.bias", actions))
        values = F.linear(y, critic, blocks("critic.head.bias", 1))
    else:
        def apart(name, n):
            y = body(blocks, trunk, name, x, hidden)
            return F.linear(y, blocks(f"{name}.head.weight", n, y.shape[1]), blocks(f"{name}.head.bias", n))

        outputs, values = apart("actor", actions), apart("critic", 1)
    loss = (hashed(batch * actions, 12) * outputs.flatten()).sum() + (hashed(batch, 13) * values.flatten()).sum()
    gradients = torch.autograd.grad(loss, list(blocks.blocks.values()))
    return {
        "model": word,
        "image": image,
        "max": largest,
        "batch": batch,
        "actions": actions,
        "outputs": flat(outputs),
        "values": flat(values),
        "gradients": [[name, flat(g.flatten()[::STRIDE])] for name, g in zip(blocks.blocks, gradients)],
    }


def main():
    cases = [
        case("minatar_cnn", minatar, [10, 10, 4], 1, 4, 6, [128]),
        case("minatar_cnn(hidden=[7], shared_trunk=false)", minatar, [5, 4, 3], 255, 3, 2, [7], shared=False),
        case("nature_cnn(hidden=[24])", nature, [37, 40, 2], 255, 2, 4, [24]),
        case("impala_cnn(filters=[4, 6], hidden=[10, 9])", impala, [11, 8, 3], 255, 3, 5, [10, 9]),
    ]
    path = Path(__file__).with_name("convolution.json")
    path.write_text(json.dumps({"stride": STRIDE, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
