"""The rows of `optimizers.json` whose numbers come from optax. As `rows_torch.py`'s; a fifth entry holds options:
whether gradients are spoiled by NaN and infinities, and on which other problems than rosenbrock they are given."""

import optax

from references_optax import Lookahead, ScheduleFree, adafactor, chain, cosine, jnp, linear, per_block, unit_clip, where, zero_non_finite

contrib = optax.contrib


def of(make, **arguments):
    """A function of the learning rate that makes this optimizer."""
    return lambda lr: chain(make(lr, **arguments))


def before(*links, to=optax.sgd, **arguments):
    """These links before an optimizer."""
    return lambda lr: chain(*links, to(lr, **arguments))


is_weight = lambda name, value: "weight" if name == "w" or name.endswith(".weight") else "rest"
is_head = lambda name, value: "head" if name == "b" or name.startswith("actor.head") else "body"

# fmt: off
ROWS = [
    # First order and adaptive.
    ("sign_sgd(lr={lr})", "optax.sign_sgd", of(optax.sign_sgd), (3 * 2**-10, 2**-8, 2**-10)),
    ("sign_sgd(lr=linear({lr}, 0))", "optax.sign_sgd", lambda lr: chain(optax.sign_sgd(linear(lr, 0.0))), (2e-3, 2e-3, None)),
    ("lion(lr={lr}, beta1=0.9, beta2=0.99, weight_decay=0)", "optax.lion", of(optax.lion, weight_decay=0.0), (2**-6, 2**-6, 1e-5)),
    ("lion(lr={lr}, beta1=0.8, beta2=0.9, weight_decay=0.1)", "optax.lion",
     of(optax.lion, b1=0.8, b2=0.9, weight_decay=0.1), (4e-3, 1e-2, None)),
    ("rmsprop(lr={lr}, preset=optax, alpha=0.9, eps=1e-8)", "optax.rmsprop", of(optax.rmsprop), (1e-3, 1e-3, 7e-4)),
    ("rmsprop(lr={lr}, preset=optax, alpha=0.99, eps=1e-5, momentum=0.9)", "optax.rmsprop",
     of(optax.rmsprop, decay=0.99, eps=1e-5, momentum=0.9), (1e-4, 1e-4, 1e-4)),
    ("rmsprop(lr=linear({lr}, 0), preset=optax, alpha=0.99, eps=1e-5, momentum=0.9)", "optax.rmsprop",
     lambda lr: chain(optax.rmsprop(linear(lr, 0.0), decay=0.99, eps=1e-5, momentum=0.9)), (1e-4, 1e-4, None)),
    ("rmsprop(lr={lr}, preset=optax, alpha=0.99, eps=1e-6, centered=true, momentum=0.5)", "optax.rmsprop",
     of(optax.rmsprop, decay=0.99, eps=1e-6, centered=True, momentum=0.5), (3e-4, 3e-4, None)),
    ("adabelief(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-16, eps_root=1e-16)", "optax.adabelief",
     of(optax.adabelief), (3e-3, 1e-3, 1e-3)),
    ("adabelief(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-8, eps_root=1e-8)", "optax.adabelief",
     of(optax.adabelief, b1=0.8, b2=0.99, eps=1e-8, eps_root=1e-8), (3e-3, 1e-3, None)),
    ("yogi(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-3, initial_accumulator=1e-6)", "optax.yogi",
     of(optax.yogi), (1e-2, 1e-2, 1e-2)),
    ("yogi(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-5, initial_accumulator=0.1)", "optax.scale_by_yogi",
     before(optax.scale_by_yogi(0.8, 0.99, 1e-5, 0.0, 0.1), to=optax.scale_by_learning_rate), (1e-2, 1e-2, None)),

    # Large-batch and memory-lean.
    ("lars(lr={lr}, momentum=0.9, weight_decay=0, trust_coefficient=0.001, eps=0)", "optax.lars",
     of(optax.lars), (1.0, 1.0, 1.0)),
    ("lars(lr=linear({lr}, 0), momentum=0.5, weight_decay=0.1, trust_coefficient=0.02, eps=1e-6)", "optax.lars",
     lambda lr: chain(optax.lars(linear(lr, 0.0), 0.1, momentum=0.5, trust_coefficient=0.02, eps=1e-6)), (0.3, 0.3, 0.3)),
    ("lamb(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0)", "optax.lamb", of(optax.lamb), (1e-2, 1e-2, 1e-2)),
    ("lamb(lr={lr}, beta1=0.8, beta2=0.99, eps=1e-5, weight_decay=0.1)", "optax.lamb",
     of(optax.lamb, b1=0.8, b2=0.99, eps=1e-5, weight_decay=0.1), (1e-2, 1e-2, 1e-2)),
    ("adafactor(form=optax, lr={lr})", "optax.adafactor", adafactor, (1e-2, 1e-2, 1e-2)),
    ("adafactor(form=optax, lr={lr}, min_dim=2)", "optax.adafactor",
     lambda lr: adafactor(lr, min_dim_size_to_factor=2), (1e-2, None, 1e-2)),
    ("adafactor(form=optax, lr={lr}, beta2_decay=0.5, eps=1e-4, clip=2, weight_decay=1e-3, min_dim=64)", "optax.adafactor",
     lambda lr: adafactor(lr, 0.5, 64, clipping=2.0, weight_decay=1e-3, eps=1e-4), (1e-2, 1e-2, None)),

    # Of this decade.
    ("schedule_free_sgd(lr={lr}, beta1=0.9)", "optax.contrib.schedule_free_sgd",
     lambda lr: chain(contrib.schedule_free_sgd(lr), kind=ScheduleFree), (0.1, 1e-3, 1.0)),
    ("schedule_free_adamw(lr={lr}, beta1=0.95, beta2=0.99, eps=1e-8)", "optax.contrib.schedule_free_adamw",
     lambda lr: chain(contrib.schedule_free_adamw(lr, b1=0.95, b2=0.99), kind=ScheduleFree), (1e-2, 1e-2, 2.5e-3)),
    ("lookahead(adam(lr={lr}), k=5, alpha=0.5)", "optax.lookahead",
     lambda lr: chain(optax.lookahead(optax.adam(lr), 5, 0.5), kind=Lookahead), (1e-2, 1e-2, 1e-3)),
    ("lookahead(momentum(lr={lr}, momentum=0.9), k=6, alpha=0.8)", "optax.lookahead",
     lambda lr: chain(optax.lookahead(optax.sgd(lr, 0.9), 6, 0.8), kind=Lookahead), (1e-2, 1e-4, None)),

    # Clipping and hygiene.
    ("clip_by_global_norm(0.1, form=optax) | sgd(lr={lr})", "optax.clip_by_global_norm",
     before(optax.clip_by_global_norm(0.1)), (0.1, 1e-2, 0.3)),
    ("clip_by_block_norm(0.1) | sgd(lr={lr})", "optax.clip_by_global_norm on each block",
     before(per_block(optax.clip_by_global_norm(0.1))), (0.1, 1e-2, 0.3)),
    ("clip_by_block_rms(0.01) | sgd(lr={lr})", "optax.clip_by_block_rms",
     before(optax.clip_by_block_rms(0.01)), (0.5, 0.1, 0.3)),
    ("clip_by_value(0.1) | momentum(lr={lr}, momentum=0.9)", "optax.clip",
     before(optax.clip(0.1), momentum=0.9), (1e-2, 1e-2, None)),
    ("adaptive_clip(clipping=0.01, eps=1e-3) | sgd(lr={lr})", "optax.adaptive_grad_clip",
     before(unit_clip(0.01)), (0.1, 0.1, 0.3)),
    ("adaptive_clip(clipping=0.1, eps=1e-2) | adam(lr={lr})", "optax.adaptive_grad_clip",
     before(unit_clip(0.1, 1e-2), to=optax.adam), (1e-2, 1e-3, None)),
    ("zero_non_finite | clip_by_global_norm(0.5, form=optax) | adam(lr={lr})", "optax.zero_nans after infinities became NaN",
     before(zero_non_finite(), optax.clip_by_global_norm(0.5), to=optax.adam), (3e-3, 1e-2, None),
     {"spoiled": True, "replayed": ["quadratic"]}),
    ("centralize | momentum(lr={lr}, momentum=0.9)", "optax.centralize",
     before(optax.centralize(), momentum=0.9), (1e-2, 1e-4, 0.1)),
    ("accumulate(4, adam(lr={lr}))", "optax.MultiSteps",
     lambda lr: chain(optax.MultiSteps(optax.adam(lr), 4, accumulator_dtype=jnp.float64).gradient_transformation()),
     (2e-2, 2e-2, 2e-3)),
    ("accumulate(3, clip_by_global_norm(0.1, form=optax) | momentum(lr={lr}, momentum=0.9))", "optax.MultiSteps",
     lambda lr: chain(optax.MultiSteps(optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(lr, 0.9)), 3,
                                       accumulator_dtype=jnp.float64).gradient_transformation()), (1e-2, 1e-2, None)),

    # Chains, masks, schedules.
    ("scale_by_adam(beta1=0.9, beta2=0.999, eps=1e-8) | add_decayed_weights(weight_decay=linear(0.5, 0))"
     " | scale_by_learning_rate(lr={lr})", "optax.scale_by_adam, add_decayed_weights",
     lambda lr: chain(optax.scale_by_adam(), optax.add_decayed_weights(linear(0.5, 0.0)), optax.scale_by_learning_rate(lr)),
     (5e-3, 5e-3, None)),
    ("sgd(lr={lr}) | decay_weights(0.01)", "optax.sgd, add_decayed_weights",
     lambda lr: chain(optax.sgd(lr), optax.add_decayed_weights(-0.01)), (0.05, 5e-4, 0.3)),
    ("adam(lr={lr}) | decay_weights(weight_decay=linear(0.02, 0), blocks=\"*w*\")", "optax.adam, masked add_decayed_weights",
     lambda lr: chain(optax.adam(lr), where({"weight": optax.add_decayed_weights(linear(-0.02, 0.0))}, is_weight)),
     (3e-3, None, 1e-3)),
    ("scale_by_adam | scale_by_trust_ratio(trust_coefficient=0.5, eps=1e-3) | scale_by_learning_rate({lr})",
     "optax.scale_by_adam, scale_by_trust_ratio",
     lambda lr: chain(optax.scale_by_adam(), optax.scale_by_trust_ratio(0.0, 0.5, 1e-3), optax.scale_by_learning_rate(lr)),
     (1e-2, 1e-2, 1e-2)),
    ("adam(lr=cosine({lr}, 0))", "optax.adam, cosine_decay_schedule",
     lambda lr: chain(optax.adam(cosine(lr, 0.0))), (1e-2, 1e-2, None)),
    ("masked(\"*w*\", add_decayed_weights(weight_decay=0.1)) | momentum(lr={lr}, momentum=0.9)", "optax.masked",
     before(where({"weight": optax.add_decayed_weights(0.1)}, is_weight), momentum=0.9), (1e-2, None, 1e-1)),
    ("partition(\"b\", sgd(lr={lr}), \"*\", clip_by_global_norm(0.5, form=optax) | adam(lr=0.01))", "optax.partition",
     lambda lr: chain(where({"head": optax.sgd(lr), "body": optax.chain(optax.clip_by_global_norm(0.5), optax.adam(1e-2))}, is_head)),
     (0.1, None, None)),
    ("partition(\"actor.head.*\", sgd(lr={lr}), \"*\", clip_by_global_norm(0.05, form=optax) | adam(lr=0.001))", "optax.partition",
     lambda lr: chain(where({"head": optax.sgd(lr), "body": optax.chain(optax.clip_by_global_norm(0.05), optax.adam(1e-3))}, is_head)),
     (None, None, 0.1)),
]
# fmt: on
