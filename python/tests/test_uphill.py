"""The package as it is installed."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import uphill

ENVS = [
    "CartPole-v1",
    "Pendulum-v1",
    "FrozenLake-v1",
    "Taxi-v3",
    "MinAtar/Breakout-v1",
    "Blackjack-v1",
    "Pendulum-v1 | action_repeat(2) | time_aware",
    "gymnasium/CartPole-v1",
]


@pytest.mark.parametrize("name", ENVS)
def test_environments_pass_gymnasium_s_own_check(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What it says of environments without a name in its registry, and of bounds that have no end.
        warnings.filterwarnings("ignore", message=".*(not registered|spec|infinity|normalized|render|symmetric).*")
        check_env(uphill.make(name), skip_render_check=True)


def played(env, steps, balance):
    """Observations, rewards and ends of a vector of CartPole whose lane 1 balances."""
    observation, _ = env.reset(seed=3)
    seen = [observation]
    for step in range(steps):
        actions = np.array([step // 3 % 2, observation[1, 2] + 0.5 * observation[1, 3] > 0 if balance else 0], np.int64)
        observation, rewards, terminated, truncated, info = env.step(actions)
        final = info.get("final_obs")
        final = [] if final is None else [row for row in final if row is not None]
        seen += [observation, rewards, terminated, truncated, *final]
    return seen


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_a_vector_is_gymnasium_s_in_both_modes_of_autoreset(mode):
    theirs = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2, autoreset_mode=mode)
    ours = uphill.make_vec("CartPole-v1", 2, mode)
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    assert ours.metadata["autoreset_mode"] is mode
    a, b = played(ours, 600, True), played(theirs, 600, True)
    assert len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))
    # One is cut off at its limit, one falls.
    assert any(x.dtype == bool and x[1] for x in a) and any(x.dtype == bool and x[0] for x in a)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rows = []
    folder = tmp_path_factory.mktemp("runs") / "pole"
    settings = {"env": "CartPole-v1", "algo": "ppo", "steps": 30_000, "seed": 101, "envs": 8}
    run = uphill.train(settings, out=folder, progress=rows.append)
    return run, rows


def test_training_learns_and_leaves_a_run(run):
    run, rows = run
    assert run.summary["finished"] and run.summary["eval"]["return_mean"] > 150
    frame = uphill.metrics(run.folder)
    assert list(frame["env_steps"]) == [row["env_steps"] for row in rows] and len(frame) == run.summary["updates"]
    assert (run.folder / "reward.png").exists()
    assert 'env = "CartPole-v1"' in uphill.settings(run.folder / "config.toml")
    # To the bit as it is from its own file; and a run that has ended says what it came to.
    again = uphill.train(run.folder / "config.toml", out=run.folder.parent / "again")
    first, second = (folder.joinpath("policy.safetensors").read_bytes() for folder in (run.folder, again.folder))
    assert first == second
    assert uphill.resume(run.folder).summary == json.loads((run.folder / "summary.json").read_text())


def test_a_policy_acts_on_arrays(run):
    policy = uphill.Policy.load(run[0].folder)
    env = uphill.make("CartPole-v1")
    observation, _ = env.reset(seed=5)
    total, ended = 0.0, False
    while not ended:
        action = policy.act(observation)
        assert action in env.action_space and np.ndim(action) == 0
        observation, reward, terminated, truncated, _ = env.step(action)
        total, ended = total + reward, terminated or truncated
    assert total > 100
    batch = np.stack([observation, -observation, 0 * observation])
    assert policy.act(batch).shape == (3,)
    one_by_one = [policy.act(row) for row in batch]
    assert list(policy.act(batch)) == one_by_one

    def draw():
        return [int(policy.act(observation * 0, deterministic=False)) for _ in range(50)]

    policy.seed(1)
    first = draw()
    policy.seed(1)
    assert draw() == first and len(set(first)) == 2
    assert len(policy.evaluate(10, seed=4)["returns"]) == 10
    with pytest.raises(ValueError, match=r"the observation has shape \(3,\): expected \(4,\)"):
        policy.act(observation[:3])


def test_a_policy_takes_what_is_legal(run, tmp_path):
    policy = uphill.Policy.load(run[0].folder)
    batch = np.random.default_rng(3).uniform(-0.1, 0.1, (40, 4)).astype(np.float32)
    free = policy.act(batch)
    assert set(free) == {0, 1}
    masks = np.stack([free == 1, free == 0], axis=1)
    # All that it would do is forbidden.
    assert np.array_equal(policy.act(batch, masks=masks), 1 - free)
    assert np.array_equal(policy.act(batch, masks=masks.astype(np.int8), deterministic=False), 1 - free)
    assert np.array_equal(policy.act(batch, masks=np.ones((40, 2), bool)), free)
    assert policy.act(batch[0], masks=masks[0]) == 1 - free[0]
    masks[7] = False
    for wrong, said in [
        (masks, "no legal choice in lane 7"),
        ([True, True], r"masks has shape \(2,\): expected \(40, 2\)"),
        (np.full((40, 2), 2), "something else than true and false"),
    ]:
        with pytest.raises(ValueError, match=said):
            policy.act(batch, masks=wrong)
    settings = {"env": "Pendulum-v1", "algo": "ppo", "steps": 2_048, "seed": 101}
    numbers = uphill.Policy.load(uphill.train(settings, out=tmp_path / "numbers").folder)
    with pytest.raises(ValueError, match="masks have no place here"):
        numbers.act(np.zeros(3), masks=[True])


def test_a_memory_is_a_lane_s_own(tmp_path):
    settings = {"env": "TMaze-v0(length=3)", "model": "gru", "steps": 2_000, "envs": 4, "seed": 101}
    policy = uphill.Policy.load(uphill.train(settings, out=tmp_path / "run").folder)
    env = uphill.make_vec("TMaze-v0(length=3)", 4)
    observation, _ = env.reset(seed=1)
    begins, drawn = np.ones(4, bool), []
    policy.seed(2)
    for _ in range(20):
        actions = policy.act(observation, begins=begins, deterministic=False)
        observation, _, terminated, truncated, _ = env.step(actions)
        begins = terminated | truncated
        drawn.append(actions)
    assert np.shape(drawn) == (20, 4)
    with pytest.raises(ValueError, match="begins has shape"):
        policy.act(observation, begins=[True])


def test_mistakes_are_exceptions_with_uphill_s_words(tmp_path, run):
    for settings, said in [
        ({"env": "CartPole-v2"}, "did you mean `CartPole-v1`"),
        ({"env": "CartPole-v1", "n_stepz": 5}, "n_stepz"),
        ({"env": "gymnasium/CartPoleX-v1"}, "did you mean `gymnasium/CartPole-v1`"),
    ]:
        with pytest.raises(uphill.Error, match=said):
            uphill.train(settings, out=tmp_path / "none")
    with pytest.raises(uphill.Error, match="this folder already holds a run"):
        uphill.train({"env": "CartPole-v1"}, out=run[0].folder)
    with pytest.raises(uphill.Error, match="config.toml"):
        uphill.Policy.load(tmp_path)
    env = uphill.make("CartPole-v1")
    with pytest.raises(uphill.Error, match="needs a reset"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(uphill.Error, match="action 2 is outside the action space"):
        env.step(2)
    with pytest.raises(ValueError, match="expected whole numbers"):
        env.step(0.5)
    with pytest.raises(ValueError, match="expected numbers of"):
        env.step(2**32)
    with pytest.raises(ValueError, match="has no effect"):
        env.reset(options={"low": 1})
    with pytest.raises(uphill.Error, match="num_envs = 1000000000000 is impossible"):
        uphill.make_vec("CartPole-v1", 10**12)
    assert str(pickle.loads(pickle.dumps(uphill.Error("no")))) == "no"
    with pytest.raises(uphill.Error, match="need a reset"):
        uphill.make_vec("CartPole-v1", 2).step([0, 1])
    assert "gymnasium/ID" in uphill.environments()


def test_other_threads_run_while_it_trains(tmp_path):
    turns, done = [], threading.Event()

    def turn():
        while not done.wait(0.001):
            turns.append(time.monotonic())

    other = threading.Thread(target=turn)
    other.start()
    uphill.train({"env": "CartPole-v1", "steps": 20_000}, out=tmp_path / "run")
    done.set()
    other.join()
    assert len(turns) > 5


def test_threads_that_share_an_environment_of_gymnasium_s_wait_for_each_other():
    text = (
        "import threading, uphill\n"
        "env = uphill.make('gymnasium/CartPole-v1')\n"
        "def play():\n"
        "    for _ in range(1000):\n"
        "        env.reset()\n"
        "threads = [threading.Thread(target=play) for _ in range(2)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True, timeout=120)


def test_an_exception_in_progress_ends_the_run_which_can_go_on(tmp_path):
    def enough(row):
        if row["update"] == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        uphill.train({"env": "CartPole-v1", "steps": 200_000}, out=tmp_path / "run", progress=enough)
    seen = []

    def on(row):
        seen.append(row["update"])
        raise KeyError("enough")

    with pytest.raises(KeyError):
        uphill.resume(tmp_path / "run", progress=on)
    assert seen[0] > 2


@pytest.mark.skipif(os.name != "posix", reason="a signal of POSIX")
def test_ctrl_c_ends_training_and_saves_it(tmp_path):
    out = tmp_path / "run"
    script = (
        "import signal, uphill\n"
        # Whoever starts the tests in the background may have had it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def tell(row):\n    print('row', flush=True)\n"
        f"uphill.train({{'env': 'CartPole-v1', 'steps': 100_000_000}}, out={str(out)!r}, progress=tell)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"row\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode != 0 and b"KeyboardInterrupt" in err
    assert list((out / "checkpoints").iterdir()) and (out / "policy.safetensors").exists()


def test_the_notebook_runs(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    path = Path(__file__).parents[1] / "examples/first-steps.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "mean return" in said
