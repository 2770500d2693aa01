"""Optimizers that neither torch.optim nor optax has, written out from their papers' pseudo-code in NumPy.

One class an optimizer, which says its source; as `problems.run` wants them. They are plain: a statement a line of the
pseudo-code, nothing in place.
"""

import numpy
from scipy.special import erfi


class Numpy:
    """Parameters by block, and a direction from `direction(name, gradient)` that is subtracted lr times."""

    def __init__(self, blocks, dtype, lr):
        self.values = {name: value.copy() for name, value in blocks.items()}
        self.dtype = dtype
        self.lr = lr if callable(lr) else lambda progress: lr
        self.steps = 0

    def zeros(self):
        return {name: numpy.zeros_like(value) for name, value in self.values.items()}

    def parameters(self):
        return self.values

    def updates(self, gradients, progress, update):
        """What is added to the parameters."""
        self.steps += 1
        return {name: -self.dtype(self.lr(progress)) * self.direction(name, g) for name, g in gradients.items()}

    def step(self, gradients, progress, update):
        for name, u in self.updates(gradients, progress, update).items():
            self.values[name] = self.values[name] + u


class NesterovSutskever(Numpy):
    """Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", equations 3 and 4:

        v' = mu v - lr grad f(theta + mu v),    theta' = theta + v'

    The parameters kept are those where the gradient is taken, theta + mu v.
    """

    def __init__(self, blocks, dtype, lr, momentum):
        super().__init__(blocks, dtype, lr)
        self.theta, self.velocity, self.momentum = dict(self.values), self.zeros(), momentum

    def step(self, gradients, progress, update):
        for name, g in gradients.items():
            self.velocity[name] = self.momentum * self.velocity[name] - self.dtype(self.lr(progress)) * g
            self.theta[name] = self.theta[name] + self.velocity[name]
            self.values[name] = self.theta[name] + self.momentum * self.velocity[name]


class AdamRel(Numpy):
    """Ellis et al. 2024, "Adam on Local Time", arXiv 2412.17113, algorithm 1: Adam (Kingma and Ba 2015, algorithm 1)
    whose step count t goes back to 0 whenever the objective changes, here with every new rollout; m and v are kept."""

    def __init__(self, blocks, dtype, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(blocks, dtype, lr)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v, self.t, self.update = self.zeros(), self.zeros(), 0, None

    def updates(self, gradients, progress, update):
        if update != self.update:
            self.t, self.update = 0, update
        self.t += 1
        return super().updates(gradients, progress, update)

    def direction(self, name, g):
        self.m[name] = self.beta1 * self.m[name] + (1.0 - self.beta1) * g
        self.v[name] = self.beta2 * self.v[name] + (1.0 - self.beta2) * g * g
        m = self.m[name] / (1.0 - self.beta1**self.t)
        v = self.v[name] / (1.0 - self.beta2**self.t)
        return m / (numpy.sqrt(v) + self.eps)


class LambClamped(AdamRel):
    """You et al. 2020, "Large batch optimization for deep learning", arXiv 1904.00962, algorithm 2, with the function
    phi of the trust ratio's numerator left out and the ratio itself at most `clamp` (timm's `trust_clip` is a clamp of
    1)."""

    def __init__(self, blocks, dtype, lr, weight_decay, clamp, eps=1e-6):
        super().__init__(blocks, dtype, lr, eps=eps)
        self.weight_decay, self.clamp = weight_decay, clamp

    def updates(self, gradients, progress, update):
        return super().updates(gradients, progress, 1)

    def direction(self, name, g):
        u = super().direction(name, g) + self.weight_decay * self.values[name]
        theta_norm, u_norm = numpy.linalg.norm(self.values[name]), numpy.linalg.norm(u)
        ratio = theta_norm / u_norm if theta_norm > 0.0 and u_norm > 0.0 else 1.0
        return self.dtype(min(ratio, self.clamp)) * u


class Shampoo(Numpy):
    """Gupta et al. 2018, "Shampoo: preconditioned stochastic tensor optimization", arXiv 1802.09568, algorithms 1 (matrices)
    and 2 (tensors of order k; a vector has k = 1):

        H_i = eps I + sum of G_(i) G_(i)^T,    G times H_i^(-1/2k) along each side i

    with the present gradient in the sums. Of a side longer than `max_dim` only the diagonal of H_i is kept. The powers are
    taken anew in steps 1, 1 + f, 1 + 2 f, ... Coupled weight decay before all that.
    Statistics and powers are float64 even where all else is not: in float32 the small eigenvalues are noise.
    """

    def __init__(self, blocks, dtype, lr, eps=1e-4, precondition_frequency=1, max_dim=1024, weight_decay=0.0):
        super().__init__(blocks, dtype, lr)
        self.frequency, self.max_dim, self.weight_decay = precondition_frequency, max_dim, weight_decay
        side = lambda n: numpy.full(n, eps) if n > max_dim else eps * numpy.eye(n)
        self.statistics = {name: [side(n) for n in value.shape] for name, value in blocks.items()}
        self.powers = {name: [None] * value.ndim for name, value in blocks.items()}

    def direction(self, name, g):
        g = u = (g + self.weight_decay * self.values[name]).astype(numpy.float64)
        for i, n in enumerate(g.shape):
            unfolded = numpy.moveaxis(g, i, 0).reshape(n, -1)
            square = (unfolded**2).sum(1) if n > self.max_dim else unfolded @ unfolded.T
            self.statistics[name][i] = self.statistics[name][i] + square
            if (self.steps - 1) % self.frequency == 0:
                self.powers[name][i] = self.power(self.statistics[name][i], -1.0 / (2 * g.ndim))
            along = numpy.moveaxis(u, i, -1)
            along = along * self.powers[name][i] if n > self.max_dim else along @ self.powers[name][i]
            u = numpy.moveaxis(along, -1, i)
        return u.astype(self.dtype)

    @staticmethod
    def power(h, exponent):
        if h.ndim == 1:
            return h**exponent
        values, vectors = numpy.linalg.eigh(h)
        return (vectors * values**exponent) @ vectors.T


class Soap(Numpy):
    """Vyas et al. 2024, "SOAP: improving and stabilizing Shampoo using Adam", arXiv 2409.11321, algorithms 3 and 4, as in
    the authors' soap.py (github.com/nikhilvyas/SOAP): the first gradient starts the statistics and moves nothing; M lives in
    the eigenbases; eps is added to the root of V before bias correction; vectors, and sides longer than `max_dim`, keep
    their own basis.

    Two things differ. Weight decay is AdamW's, of the parameters before the step (theirs takes those after it, and
    none in the first step). And a ramp below float32's resolution is added to the diagonal of the statistics before
    eigenvectors are taken: a gradient seldom spans its whole space, every basis of its null space is an eigenbasis, and
    which one a library answers is rounding. `ramp=0` is theirs. Statistics and bases are float64 even where all else is not.
    """

    def __init__(self, blocks, dtype, lr, beta1=0.95, beta2=0.95, eps=1e-8, precondition_frequency=10, weight_decay=0.01,
                 max_dim=10000, ramp=1e-6):  # fmt: skip
        super().__init__(blocks, dtype, lr)
        self.beta1, self.beta2, self.eps, self.frequency = beta1, beta2, eps, precondition_frequency
        self.weight_decay, self.ramp, self.t = weight_decay, ramp, -1
        is_turned = lambda value, n: value.ndim == 2 and n <= max_dim
        self.statistics = {
            name: [numpy.zeros((n, n)) if is_turned(value, n) else None for n in value.shape]
            for name, value in blocks.items()
        }
        self.bases = {name: None for name in blocks}
        self.m, self.v = self.zeros(), self.zeros()

    def updates(self, gradients, progress, update):
        self.t += 1
        return super().updates(gradients, progress, update)

    def direction(self, name, g):
        decay, g = self.weight_decay * self.values[name], g.astype(numpy.float64)
        if self.t == 0:
            self.add(name, g)
            self.bases[name] = [None if p is None else self.eigenbasis(self.resolved(p)) for p in self.statistics[name]]
            return decay
        turned = self.turn(g, self.bases[name])
        self.m[name] = (self.beta1 * self.m[name] + (1.0 - self.beta1) * turned).astype(self.dtype)
        self.v[name] = (self.beta2 * self.v[name] + (1.0 - self.beta2) * turned**2).astype(self.dtype)
        n = self.m[name] / (numpy.sqrt(self.v[name]) + self.eps)
        n = n * (1.0 - self.beta2**self.t) ** 0.5 / (1.0 - self.beta1**self.t)
        u = self.turn_back(n, self.bases[name])
        self.add(name, g)
        if self.t % self.frequency == 0:
            self.renew(name)
        return u.astype(self.dtype) + decay

    def add(self, name, g):
        for i, p in enumerate(self.statistics[name]):
            if p is not None:
                square = g @ g.T if i == 0 else g.T @ g
                self.statistics[name][i] = self.beta2 * p + (1.0 - self.beta2) * square

    def resolved(self, p):
        n = len(p)
        return p + numpy.diag(self.ramp * numpy.trace(p) / n * (n - numpy.arange(n)) / n)

    @staticmethod
    def eigenbasis(p):
        return numpy.linalg.eigh(p)[1][:, ::-1]

    def renew(self, name):
        """A round of power iteration, orthonormalised; V's axes are put into the order of the new basis."""
        m, bases = self.turn_back(self.m[name], self.bases[name]), list(self.bases[name])
        for i, (p, q) in enumerate(zip(self.statistics[name], bases)):
            if q is None:
                continue
            p = self.resolved(p)
            order = numpy.argsort(-numpy.diag(q.T @ p @ q), kind="stable")
            self.v[name] = numpy.take(self.v[name], order, axis=i)
            bases[i] = numpy.linalg.qr(p @ q[:, order])[0]
        self.bases[name], self.m[name] = bases, self.turn(m, bases).astype(self.dtype)

    @staticmethod
    def turn(x, bases):
        for i, q in enumerate(bases):
            if q is not None:
                x = q.T @ x if i == 0 else x @ q
        return x

    @staticmethod
    def turn_back(x, bases):
        return Soap.turn(x, [None if q is None else q.T for q in bases])


class Trac(Numpy):
    """Muppidi et al. 2024, "Fast TRAC: a parameter-free optimizer for lifelong reinforcement learning", arXiv 2405.16642,
    algorithms 1 and 2: the base goes its own way, and parameters are where it is, scaled about the start by S.

    The authors' trac.py (github.com/ComputationalRobotics/TRAC) keeps no such way, but takes the parameters' distance
    from the start over S + eps for it. Where S is once not positive that is 0, and stays so for good; the paper's
    algorithm goes on. From the code: S below 0 counts as 0, and the base is shown the scaled parameters.
    """

    BETAS = numpy.array([0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999])

    def __init__(self, blocks, dtype, base, s_init=1e-8, eps=1e-8):
        super().__init__(blocks, dtype, 1.0)
        self.reference, self.way, self.base = dict(self.values), self.zeros(), base(blocks, dtype)
        self.s_init, self.eps, self.variance, self.sigma = s_init, eps, numpy.zeros(6), numpy.zeros(6)

    def step(self, gradients, progress, update):
        h = sum(float((self.way[name].astype(numpy.float64) * g).sum()) for name, g in gradients.items())
        self.base.values = self.values
        updates = self.base.updates(gradients, progress, update)
        self.way = {name: self.way[name] + updates[name] for name in gradients}
        self.variance = self.BETAS**2 * self.variance + h**2
        self.sigma = self.BETAS * self.sigma - h
        argument = self.sigma / (2.0**0.5 * numpy.sqrt(self.variance) + self.eps)
        s = self.s_init / erfi(0.5**0.5) * erfi(argument)
        scale = self.dtype(max(s.sum(), 0.0))
        self.values = {name: self.reference[name] + scale * self.way[name] for name in gradients}


class Sgd(Numpy):
    """Steepest descent, with weight decay towards the initial parameters (`l2_init`: Kumar et al. 2023, arXiv 2308.11958):
    the gradient of `decay`/2 times the squared distance from them is added to the gradient."""

    def __init__(self, blocks, dtype, lr, decay_to_initial=0.0):
        super().__init__(blocks, dtype, lr)
        self.initial, self.decay = dict(self.values), decay_to_initial

    def direction(self, name, g):
        return g + self.decay * (self.values[name] - self.initial[name])


def of(cls, **arguments):
    """A function of the learning rate that makes this optimizer."""
    return lambda lr: lambda blocks, dtype: cls(blocks, dtype, lr, **arguments)


def trac(base, **arguments):
    return lambda lr: lambda blocks, dtype: Trac(blocks, dtype, base(lr), **arguments)
