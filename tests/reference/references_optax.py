"""Chains of optax as `problems.run` wants them. Float64: jax_enable_x64."""

import logging

import jax

logging.getLogger("absl").setLevel(logging.ERROR)  # lookahead's init sees the fast parameters alone, and says so
jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

from problems import STEPS, Ppo, Quadratic, Rosenbrock  # noqa: E402


class Optax:
    def __init__(self, blocks, transform):
        self.values = {name: jnp.asarray(value) for name, value in blocks.items()}
        self.transform = transform
        self.state = transform.init(self.values)

        @jax.jit
        def step(gradients, state, values):
            updates, state = transform.update(gradients, state, values)
            return optax.apply_updates(values, updates), state

        self.jitted = step

    def step(self, gradients, progress, update):
        gradients = {name: jnp.asarray(value) for name, value in gradients.items()}
        self.values, self.state = self.jitted(gradients, self.state, self.values)

    def parameters(self):
        return self.values


class Lookahead(Optax):
    """`parameters` are the fast ones; `evaluation` the slow ones."""

    def __init__(self, blocks, transform):
        super().__init__(blocks, transform)
        self.values = optax.LookaheadParams.init_synced(self.values)

    def parameters(self):
        return self.values.fast

    def evaluation(self):
        return self.values.slow


class ScheduleFree(Optax):
    """`parameters` are those that are trained, y; `evaluation` the average, x."""

    def evaluation(self):
        return optax.contrib.schedule_free_eval_params(self.state, self.values)


def chain(*links, kind=Optax):
    return lambda blocks, dtype: kind(blocks, optax.chain(*links) if len(links) > 1 else links[0])


def per_block(transform):
    """The transform on every block alone, as if there were no other."""
    names = [name for problem in (Quadratic, Rosenbrock, Ppo) for name in problem.blocks]
    return where({name: transform for name in names}, lambda name, value: name)


def where(transforms, label):
    """The transform whose label `label(name, value)` gives for the block; the label "rest" leaves a block as it is."""
    labels = lambda tree: {name: label(name, value) for name, value in tree.items()}
    return optax.partition(transforms | {"rest": optax.identity()}, labels)


def unit_clip(clipping, eps=1e-3):
    """Adaptive clipping with a unit a row, for weights that are stored [out, in] as PyTorch's and ours are: optax's
    own choice for two axes is the columns, because JAX stores [in, out]. A bias is one unit, as optax has it."""
    matrix, vector = optax.adaptive_grad_clip(clipping, eps, axis=1), optax.adaptive_grad_clip(clipping, eps)
    return where({"2": matrix, "1": vector}, lambda name, value: str(value.ndim))


def zero_non_finite():
    """`optax.zero_nans`, which lets infinities pass, after these have become NaN."""
    as_nan = optax.stateless(lambda updates, _: {k: jnp.where(jnp.isinf(g), jnp.nan, g) for k, g in updates.items()})
    return optax.chain(as_nan, optax.zero_nans())


def adafactor(lr, decay_rate=0.8, min_dim_size_to_factor=128, multiply_by_parameter_scale=True, clipping=1.0,
              momentum=None, weight_decay=None, eps=1e-30):  # fmt: skip
    """`optax.adafactor`, link by link, because it does not hand on `decay_rate_fn`, whose default is float32's."""
    decay = lambda step, exponent: 1.0 - (step + 1.0) ** -exponent
    links = [optax.scale_by_factored_rms(True, decay_rate, 0, min_dim_size_to_factor, eps, decay)]
    links += [optax.clip_by_block_rms(clipping), optax.scale_by_learning_rate(lr, flip_sign=False)]
    links += [optax.scale_by_param_block_rms()] if multiply_by_parameter_scale else []
    links += [optax.ema(momentum, debias=False)] if momentum is not None else []
    links += [optax.add_decayed_weights(weight_decay)] if weight_decay is not None else []
    return chain(*links, optax.scale(-1.0))


def linear(start, end):
    return optax.linear_schedule(start, end, STEPS)


def cosine(start, end):
    return optax.cosine_decay_schedule(start, STEPS, end / start)
