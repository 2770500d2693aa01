"""The rows of `optimizers.json` whose numbers come from NumPy transcriptions of papers. As `rows_torch.py`'s; a fifth
entry holds options: how many steps learn from one rollout, on which other problems the gradients are given, and other
steps to record."""

from references_numpy import AdamRel, LambClamped, NesterovSutskever, Sgd, Shampoo, Soap, of, trac

falling = lambda cls, **arguments: lambda lr: of(cls, **arguments)(lambda progress: lr * (1.0 - progress))
ADAM = "beta1=0.9, beta2=0.999, eps=1e-8"

# fmt: off
ROWS = [
    ("nesterov_sutskever(lr={lr}, momentum=0.9)", "NumPy: Sutskever et al. 2013",
     of(NesterovSutskever, momentum=0.9), (0.01, 1e-4, 0.1)),
    ("nesterov_sutskever(lr=linear({lr}, 0), momentum=0.7)", "NumPy: Sutskever et al. 2013",
     falling(NesterovSutskever, momentum=0.7), (0.03, 3e-4, None)),
    ("decay_to_initial(0.5) | sgd(lr={lr})", "NumPy: Kumar et al. 2023", of(Sgd, decay_to_initial=0.5), (0.05, 5e-4, None)),
    ("lamb(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.1, clamp=10)", "NumPy: You et al. 2020",
     of(LambClamped, weight_decay=0.1, clamp=10.0), (1e-2, None, None)),
    ("lamb(lr={lr}, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0, clamp=0.5)", "NumPy: You et al. 2020",
     of(LambClamped, weight_decay=0.0, clamp=0.5), (1e-2, 1e-2, None)),
    ("shampoo(lr={lr}, eps=1e-4, precondition_frequency=1)", "NumPy: Gupta et al. 2018",
     of(Shampoo), (0.3, 0.1, None)),
    # Roots of 64 x 64 matrices in every step would make the tests slow.
    ("shampoo(lr={lr}, eps=1e-4, precondition_frequency=20)", "NumPy: Gupta et al. 2018",
     of(Shampoo, precondition_frequency=20), (None, None, 0.1)),
    ("shampoo(lr={lr}, eps=1e-3, precondition_frequency=10, max_dim=3, weight_decay=0.01)",
     "NumPy: Gupta et al. 2018",
     of(Shampoo, eps=1e-3, precondition_frequency=10, max_dim=3, weight_decay=0.01), (0.05, 0.02, None)),
    ("soap(lr={lr}, beta1=0.95, beta2=0.95, eps=1e-8, precondition_frequency=10, weight_decay=0)", "NumPy: Vyas et al. 2024",
     of(Soap, weight_decay=0.0), (3e-3, 1e-2, 1e-3)),
    ("soap(lr={lr}, beta1=0.9, beta2=0.99, eps=1e-6, precondition_frequency=1, weight_decay=0.1, max_dim=8)",
     "NumPy: Vyas et al. 2024",
     of(Soap, beta1=0.9, beta2=0.99, eps=1e-6, precondition_frequency=1, weight_decay=0.1, max_dim=8), (3e-3, 1e-2, 1e-3)),
    ("soap(lr={lr}, beta1=0.9, beta2=0.99, eps=1e-4, precondition_frequency=1, weight_decay=0, max_dim=8)",
     "NumPy: Vyas et al. 2024, without the ramp",
     of(Soap, beta1=0.9, beta2=0.99, eps=1e-4, precondition_frequency=1, weight_decay=0.0, max_dim=8, ramp=0.0),
     (1e-3, None, 2e-4)),
    (f"adam_rel(lr={{lr}}, {ADAM})", "NumPy: Ellis et al. 2024", of(AdamRel), (1e-2, 1e-2, 1e-3), {"steps_per_update": 16}),
    ("adam_rel(lr=linear({lr}, 0), beta1=0.9, beta2=0.99, eps=1e-5)", "NumPy: Ellis et al. 2024",
     falling(AdamRel, beta2=0.99, eps=1e-5), (1e-2, 1e-2, None), {"steps_per_update": 7}),
    (f"trac(adam(lr={{lr}}, {ADAM}))", "NumPy: Muppidi et al. 2024", trac(of(AdamRel)), (None, 1e-2, None)),
    (f"trac(adam(lr={{lr}}, {ADAM}), s_init=1e-3)", "NumPy: Muppidi et al. 2024", trac(of(AdamRel), s_init=1e-3),
     (2e-2, None, None), {"replayed": ["quadratic"]}),
    ("trac(sgd(lr={lr}))", "NumPy: Muppidi et al. 2024", trac(of(Sgd)), (0.05, 5e-4, None), {"replayed": ["quadratic"]}),
    # The scale is not positive after every step; after these it is.
    (f"trac(adam(lr={{lr}}, {ADAM}), s_init=0.01)", "NumPy: Muppidi et al. 2024", trac(of(AdamRel), s_init=0.01),
     (None, None, 1e-3), {"recorded": [5, 140]}),
    ("trac(sgd(lr={lr}), s_init=1e-3)", "NumPy: Muppidi et al. 2024", trac(of(Sgd), s_init=1e-3), (0.05, 5e-4, None)),
    ("trac(sgd(lr={lr}), s_init=0.01)", "NumPy: Muppidi et al. 2024", trac(of(Sgd), s_init=0.01), (None, None, 1.0),
     {"recorded": [5, 140]}),
]
# fmt: on
