"""The side of uphill-gymnasium that is written in Python: makes environments, tells what they are, resets and steps them.

It runs within the program, or, started with the argument `serve`, as a process of its own that answers requests on its standard
input. What is asked and answered is the same in both, as bytes, so that there is one way through:

    reset  b"R", then for each lane 1 byte and 16: 0 leave it, 1 go on with its generator, 2 from this seed
           -> the first observation of each lane that was reset
    step   b"S", then for each lane 1 byte, whether it is stepped, then each lane's action, as little-endian u32 or f32
           -> for each lane that was stepped: its reward (f64), 0, 1 (terminated) or 2 (truncated), and the observation that the
              action led to
    paint  b"P" -> the picture of the first lane: its width and height (u32), then its pixels, 3 bytes each; where they were asked for
    close  b"C" -> nothing

An answer begins with b"+", or is b"-" and JSON that says which lane failed, and how. Observations are little-endian f32, those of
images bytes. Nothing here resets an environment by itself.
"""

import ast
import ctypes.util
import difflib
import importlib
import inspect
import json
import math
import os
import re
import struct
import sys
import traceback


class Refused(Exception):
    """What was asked for is impossible; the text says all there is to say."""


class InLane(Exception):
    """What one lane raised."""

    def __init__(self, lane):
        self.lane = lane


def pip(package):
    """How to install a package for the interpreter that is used."""
    return f"`{sys.executable} -m pip install {package}`"


def load():
    """The module gymnasium, 1.x."""
    try:
        import gymnasium
    except ModuleNotFoundError as problem:
        if problem.name != "gymnasium":
            raise
        raise Refused(f"{sys.executable} has no Gymnasium: {pip('gymnasium')} installs it") from None
    if int(gymnasium.__version__.split(".")[0]) < 1:
        version = gymnasium.__version__
        raise Refused(f"{sys.executable} has Gymnasium {version}, and 1.0 is the least: {pip('-U gymnasium')}")
    return gymnasium


def registered(name):
    """What Gymnasium knows of the environment of that name, and its class or function."""
    gymnasium = load()
    if name.startswith("ALE/"):
        try:
            import ale_py
        except ModuleNotFoundError:
            raise Refused(f"{name} is of the package ale-py: {pip('ale-py')} installs it") from None
        gymnasium.register_envs(ale_py)
        # Each game would tell its version.
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    module, _, own = name.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as problem:
            if problem.name != module.partition(".")[0]:
                raise
            text = f"{name}: {sys.executable} has no module {module}"
            raise Refused(f"{text}: {pip(problem.name)} may install it, or PYTHONPATH be the folder it is in") from None
    try:
        spec = gymnasium.spec(own)
    except gymnasium.error.Error as problem:
        near = difflib.get_close_matches(own, gymnasium.registry, 1)
        meant = f"did you mean `gymnasium/{near[0]}`?" if near else str(problem)
        text = f"no environment is called `gymnasium/{name}` in Gymnasium {gymnasium.__version__} of {sys.executable}"
        raise Refused(f"{text}; {meant}") from None
    entry = spec.entry_point
    try:
        return spec, gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    except (gymnasium.error.DependencyNotInstalled, ImportError) as problem:
        raise lacking(name, problem) from None


# What each part of Gymnasium needs, by the module that says that it is missing.
EXTRAS = {"Box2D": "box2d", "mujoco": "mujoco", "pygame": "classic-control", "jax": "jax"}


def lacking(name, problem):
    """What to install where Gymnasium itself says that something is missing."""
    text = " ".join(str(problem).split())
    told = re.search(r"gymnasium\[([\w-]+)\]", text)
    extra = told[1] if told else next((extra for word, extra in EXTRAS.items() if word in text), None)
    swig = f"{pip('swig')} and then " if extra == "box2d" else ""
    remedy = f": {swig}{pip(chr(34) + 'gymnasium[' + extra + ']' + chr(34))}" if extra else f" (with {sys.executable})"
    return Refused(f"{name} cannot be made: {text.rstrip('.')}{remedy}")


def own(value):
    """Of which kind an argument with that default is, and the default as uphill's words have it."""
    number = isinstance(value, (int, float)) and math.isfinite(value)
    if isinstance(value, bool):
        return "flag", str(value).lower()
    if number:
        return "number", repr(value)
    text = value if isinstance(value, str) else repr(value)
    kind = "text" if isinstance(value, str) else "literal"
    if "\n" in text or ('"' in text and "'" in text):
        return kind, '"..."'
    return kind, f"'{text}'" if '"' in text else f'"{text}"'


def arguments(name):
    """The keyword arguments of an environment with their defaults, what is registered before what is declared."""
    spec, creator = registered(name)
    try:
        declared = inspect.signature(creator).parameters.values()
    except (TypeError, ValueError):
        declared = ()
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = {p.name: None if p.default is p.empty else p.default for p in declared if p.kind in by_name}
    found.update(spec.kwargs)
    return spec, {key: value for key, value in found.items() if key not in ("render_mode", "name", "id", "self")}


def describe(name):
    """In JSON, what there is to know of an environment before it is made."""
    spec, found = arguments(name)
    params = [(key, *own(value)) for key, value in found.items()]
    return json.dumps({"summary": f"{spec.id} of Gymnasium {load().__version__}", "params": params})


def keywords(name, said):
    """The environment's own name, and what was said as Gymnasium is to be told; what is as it would be anyhow is not told."""
    spec, found = arguments(name)
    told = {}
    for key, value in said.items():
        default = found[key]
        kind, text = own(default)
        if kind == "number":
            value = int(value) if isinstance(default, int) and value == int(value) else value
        elif kind == "literal":
            if value == text[1:-1]:
                continue
            try:
                value = ast.literal_eval(value)
            except (SyntaxError, ValueError):
                pass
        elif kind == "text" and value == text[1:-1]:
            continue
        if value != default or type(value) is not type(default):
            told[key] = value
    return spec.id, told


def around(env, text):
    """An environment within a wrapper such as `FlattenObservation` or `package.module:Wrapper(size=3)`."""

    def wrong(problem, expected):
        return Refused(f'wrappers: "{text}" is impossible: {" ".join(str(problem).split())}; {expected}')

    head, paren, rest = text.partition("(")
    module, _, name = head.strip().rpartition(":")
    try:
        wrapper = getattr(importlib.import_module(module or "gymnasium.wrappers"), name)
        call = ast.parse(f"f({rest}" if paren else "f()", mode="eval").body
        given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        given_by_place = [ast.literal_eval(value) for value in call.args]
    except (ImportError, AttributeError, SyntaxError, ValueError) as problem:
        expected = "a wrapper is written as FrameStackObservation(stack_size=4), one of another package as package.module:Name"
        raise wrong(problem, expected) from None
    try:
        declared = inspect.signature(wrapper)
    except (TypeError, ValueError):
        return wrapper(env, *given_by_place, **given)
    takes = ", ".join(str(word.replace(annotation=word.empty)) for word in list(declared.parameters.values())[1:])
    takes = f"it takes {takes or 'no argument'}"
    try:
        declared.bind(env, *given_by_place, **given)
    except TypeError as problem:
        raise wrong(problem, takes) from None
    try:
        return wrapper(env, *given_by_place, **given)
    except (AssertionError, ValueError) as problem:
        raise wrong(problem, takes) from None


def painting(name):
    """The keyword argument by which an environment paints, which only one that is to be seen is made with."""
    modes = getattr(registered(name)[1], "metadata", {}).get("render_modes")
    if modes is not None and "rgb_array" not in modes:
        known = f"in {', '.join(modes)} alone" if modes else "in no mode"
        raise Refused(f"it renders {known}, and pictures need rgb_array")
    if sys.platform == "linux" and not any(os.environ.get(display) for display in ("DISPLAY", "WAYLAND_DISPLAY")):
        # Neither tries by itself what paints without a display: pygame nothing at all, MuJoCo one of two libraries.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        found = (how for how, library in OFFSCREEN.items() if ctypes.util.find_library(library))
        os.environ.setdefault("MUJOCO_GL", next(found, "egl"))
    return {"render_mode": "rgb_array"}


# The libraries that paint without a display, by their names to MuJoCo, the first choice first.
OFFSCREEN = {"egl": "EGL", "osmesa": "OSMesa"}


def painted(env):
    """What an environment renders: width, height and pixels."""
    try:
        frame = env.render()
    except Exception as problem:
        if type(problem).__name__ == "DependencyNotInstalled":
            raise lacking(env.spec.id if env.spec else "it", problem) from None
        if "mujoco" in sys.modules:
            remedy = "MuJoCo paints by libEGL or libOSMesa (Debian: apt-get install libegl1 libgl1-mesa-dri), MUJOCO_GL=egl or osmesa"
            raise Refused(f"{'; '.join(str(problem).split(chr(10))[:2])}; {remedy}") from problem
        raise
    shape, kind = getattr(frame, "shape", ()), getattr(frame, "dtype", type(frame).__name__)
    if len(shape) != 3 or shape[2] != 3 or str(kind) != "uint8":
        got = f"{kind} of shape {shape}" if shape else kind
        raise Refused(f"its render() returned {got}, and an rgb_array is uint8 of shape (height, width, 3)")
    return struct.pack("<II", shape[1], shape[0]) + frame.tobytes()


def make(request):
    """The environment that a request asks for."""
    gymnasium = load()
    name, told = keywords(request["name"], request["said"])
    if request["paints"]:
        told.update(painting(request["name"]))
    try:
        env = gymnasium.make(name, disable_env_checker=True, **told)
        for text in request["wrappers"]:
            env = around(env, text)
    except (gymnasium.error.DependencyNotInstalled, ImportError) as problem:
        raise lacking(name, problem) from None
    return env


class Numbers:
    """How the numbers of a space are written."""

    def __init__(self, what, space):
        import numpy
        from gymnasium import spaces

        self.described = None
        # A type by its letters is looked up each time.
        f4, u1, u4 = (numpy.dtype(letters) for letters in ("<f4", "u1", "<u4"))
        if isinstance(space, spaces.Discrete):
            n, start = int(space.n), int(space.start)
            self.described = {"kind": "discrete", "n": [n]}
            index, number = struct.Struct("<I"), struct.Struct("<f")
            self.read = lambda action: index.unpack(action)[0] + start
            self.write = lambda element: number.pack(int(element) - start)
        elif isinstance(space, spaces.MultiDiscrete):
            start = getattr(space, "start", numpy.zeros_like(space.nvec))
            self.described = {"kind": "multi_discrete", "n": [int(n) for n in space.nvec.ravel()]}
            self.read = lambda action: numpy.frombuffer(action, u4).reshape(space.shape).astype(space.dtype) + start
            self.write = lambda element: (numpy.asarray(element) - start).astype(f4).tobytes()
        elif isinstance(space, spaces.MultiBinary):
            self.described = {"kind": "multi_binary", "n": [int(numpy.prod(space.shape))]}
            self.read = lambda action: numpy.frombuffer(action, u4).reshape(space.shape).astype(space.dtype)
            self.write = lambda element: numpy.asarray(element, f4).tobytes()
        elif isinstance(space, spaces.Box):
            low, high = (bound.astype(f4) for bound in (space.low, space.high))
            image = space.dtype == numpy.uint8 and len(space.shape) in (2, 3) and (low == 0).all() and (high == high.max()).all()
            if image and what == "observation":
                height, width, channels = (*space.shape, 1)[:3]
                self.described = {"kind": "image", "n": [height, width, channels, int(high.max())]}
                self.write = lambda element: numpy.asarray(element, u1).tobytes()
            else:
                with numpy.errstate(over="ignore"):
                    bounds = [bound.tobytes().hex() for bound in (low, high)]
                self.described = {"kind": "box", "n": [], "low": bounds[0], "high": bounds[1]}
                self.write = lambda element: numpy.asarray(element, f4).tobytes()
                self.read = lambda action: numpy.frombuffer(action, f4).reshape(space.shape).astype(space.dtype)
        else:
            kinds = "Discrete, MultiDiscrete, MultiBinary and Box are"
            remedy = '; wrappers=["FlattenObservation"] makes it a Box' if what == "observation" else ""
            raise Refused(f"its {what} space, {space}, cannot be had here: {kinds}{remedy}")
        # Bytes of an action, 4 a number.
        self.width = 4 * max(1, math.prod(space.shape or ()))


def specified(env, observation, action):
    """In JSON, what an environment is."""
    spec = env.spec
    return json.dumps(
        {
            "observation": observation.described,
            "action": action.described,
            "max_episode_steps": spec and spec.max_episode_steps,
            "reward_threshold": spec and spec.reward_threshold,
        }
    )


# Reward and end of a step.
HEAD = struct.Struct("<dB")


class Alone:
    """Environments that know nothing of each other."""

    def __init__(self, request):
        self.envs = [make(request) for _ in range(request["lanes"])]
        env = self.envs[0]
        self.observation = Numbers("observation", env.observation_space)
        self.action = Numbers("action", env.action_space)
        self.spec = specified(env, self.observation, self.action)

    def reset(self, lanes):
        """The first observations of lanes, each with its seed or None."""
        for lane, seed in lanes:
            try:
                yield self.observation.write(self.envs[lane].reset(seed=seed)[0])
            except Exception as problem:
                raise InLane(lane) from problem

    def step(self, actions):
        """What each step of a lane came to."""
        envs, read, write = self.envs, self.action.read, self.observation.write
        for lane, action in actions:
            try:
                observation, reward, terminated, truncated, _ = envs[lane].step(read(action))
                end = 1 if terminated else 2 if truncated else 0
                yield HEAD.pack(reward, end) + write(observation)
            except Exception as problem:
                raise InLane(lane) from problem

    def close(self):
        for env in self.envs:
            env.close()


class Together:
    """A vector of Gymnasium's, which steps all lanes at once and resets those that have ended by itself, in the step that ends an
    episode or in the one after."""

    def __init__(self, request):
        import numpy

        gymnasium = load()
        mode = request["vectorization"]
        if not hasattr(gymnasium.vector, "AutoresetMode"):
            text = f"vectorization needs Gymnasium 1.1, and {sys.executable} has {gymnasium.__version__}"
            raise Refused(f"{text}: {pip('-U gymnasium')}, or leave it out")
        autoreset = gymnasium.vector.AutoresetMode[request["autoreset"].upper()]
        name, told = keywords(request["name"], request["said"])
        own = {} if mode == "vector_entry_point" else {"vector_kwargs": {"autoreset_mode": autoreset}}
        if mode != "vector_entry_point" and request["wrappers"]:
            own["wrappers"] = [lambda env, text=text: around(env, text) for text in request["wrappers"]]
        try:
            self.envs = gymnasium.make_vec(name, request["lanes"], mode, **own, **told)
        except gymnasium.error.Error as problem:
            raise Refused(f"{name}: {problem}") from None
        self.mode = gymnasium.vector.AutoresetMode(self.envs.metadata["autoreset_mode"])
        if mode == "vector_entry_point" and self.mode is not autoreset:
            text = f"the vector of {name} resets by {self.mode.name.lower()}"
            raise Refused(f"{text}: say autoreset={self.mode.name.lower()}")
        if mode == "vector_entry_point" and self.mode is not gymnasium.vector.AutoresetMode.SAME_STEP:
            masked = "reset_mask" in inspect.getsource(type(self.envs).reset)
            if not masked and request["lanes"] > 1:
                text = f"the vector of {name} resets lanes only as it steps the others"
                raise Refused(f"{text}, so an episode's first observation is not to be had in time: leave vectorization out")
        self.observation = Numbers("observation", self.envs.single_observation_space)
        self.action = Numbers("action", self.envs.single_action_space)
        self.spec = specified(self.envs, self.observation, self.action)
        self.same_step = self.mode is gymnasium.vector.AutoresetMode.SAME_STEP
        self.array, self.lanes = numpy.array, request["lanes"]
        # The first observations of episodes that began in the step before, by lane; lanes that were stepped though not asked for.
        self.begun, self.astray = {}, set()
        self.last = [None] * self.lanes

    def reset(self, lanes):
        lanes = list(lanes)
        all_anew = len(lanes) == self.lanes and not self.begun
        if all_anew or any(seed is not None for _, seed in lanes):
            if len(lanes) < self.lanes:
                raise Refused("of a vector of Gymnasium's, lanes cannot be seeded one by one")
            seeds = [seed for _, seed in lanes]
            observations, _ = self.envs.reset(seed=None if None in seeds else seeds)
            self.begun.clear()
            self.astray.clear()
            return [self.observation.write(observation) for observation in observations]
        if not self.same_step:
            mask = self.array([any(lane == i for lane, _ in lanes) for i in range(self.lanes)])
            observations, _ = self.envs.reset(options={"reset_mask": mask})
            self.begun = {lane: observations[lane] for lane, _ in lanes}
        return [self.observation.write(self.begun.pop(lane)) for lane, _ in lanes]

    def step(self, actions):
        actions = {lane: bytes(action) for lane, action in actions}
        for lane in actions.keys() & self.astray:
            text = "a vector of Gymnasium's steps all of its lanes at once, so none can stand still and go on later"
            raise Refused(f"lane {lane}: {text}: leave vectorization out")
        self.astray |= set(range(self.lanes)) - actions.keys()
        for lane in self.astray:
            self.last[lane] = self.last[lane] or self.some()
        self.last = [actions.get(lane, self.last[lane]) for lane in range(self.lanes)]
        taken = self.array([self.action.read(action) for action in self.last])
        observations, rewards, terminated, truncated, info = self.envs.step(taken)
        ended = terminated | truncated
        self.begun = {}
        said = []
        for lane in range(self.lanes):
            observation = observations[lane]
            if lane in actions:
                if ended[lane] and self.same_step:
                    self.begun[lane], observation = observation.copy(), info["final_obs"][lane]
                end = 1 if terminated[lane] else 2 if truncated[lane] else 0
                said.append(HEAD.pack(rewards[lane], end) + self.observation.write(observation))
        # Those that nobody asked for are begun anew, so that the next step finds them under way.
        idle = [lane for lane in self.astray if ended[lane]]
        if idle and not self.same_step:
            self.envs.reset(options={"reset_mask": self.array([lane in idle for lane in range(self.lanes)])})
        return said

    def some(self):
        """An action that has no number but 0."""
        return bytes(self.action.width)

    def close(self):
        self.envs.close()


class Lanes:
    """Lanes, and the answers to what is asked of them."""

    def __init__(self, request):
        request = json.loads(request)
        self.lanes = request["lanes"]
        self.envs = (Alone if request["vectorization"] == "own" else Together)(request)

    def handle(self, request):
        """The answer to a request, both as bytes."""
        try:
            kind, n = request[:1], self.lanes
            if kind == b"S":
                width, first = self.envs.action.width, 1 + n
                actions = ((i, request[first + i * width : first + (i + 1) * width]) for i in range(n) if request[1 + i])
                return b"+" + b"".join(self.envs.step(actions))
            if kind == b"P":
                return b"+" + painted(self.envs.envs[0])
            if kind == b"R":
                places = ((i, 1 + 17 * i) for i in range(n) if request[1 + 17 * i])
                seeds = ((i, self.seed(request[at : at + 17])) for i, at in places)
                return b"+" + b"".join(self.envs.reset(seeds))
            self.envs.close()
            return b"+"
        except Exception as problem:
            return b"-" + failure(problem)

    @staticmethod
    def seed(words):
        return int.from_bytes(words[1:], "little") if words[0] == 2 else None


def failure(problem):
    """In JSON, what went wrong."""
    lane = None
    if isinstance(problem, InLane):
        lane, problem = problem.lane, problem.__cause__
    refused = isinstance(problem, Refused)
    said = str(problem) if refused else "".join(traceback.format_exception_only(problem)).strip()
    calls = "" if refused else "".join(traceback.format_tb(problem.__traceback__))
    return json.dumps({"lane": lane, "refused": refused, "exception": said, "traceback": calls}).encode()


def opened(request):
    """Lanes, and in JSON what they are or what went wrong."""
    try:
        lanes = Lanes(request)
        return lanes, b"+" + lanes.envs.spec.encode()
    except Exception as problem:
        return None, b"-" + failure(problem)


def described(name):
    """What there is to know of an environment before it is made, or what went wrong."""
    try:
        return b"+" + describe(name).encode()
    except Exception as problem:
        return b"-" + failure(problem)


def serve():
    """Answers requests until there are none, each after its length."""
    import signal

    # Ctrl-C is the program's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What an environment prints is no answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lanes, opens = None, True
    while len(head := sys.stdin.buffer.read(4)) == 4:
        request = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        if opens:
            (lanes, answer), opens = opened(request.decode()), False
        else:
            answer = lanes.handle(request)
        answers.write(struct.pack("<I", len(answer)) + answer)
        answers.flush()


if __name__ == "__main__" and sys.argv[1:] == ["serve"]:
    serve()
