"""`make bench`: speeds as ratios, both sides measured in one run; quote the ratios, the times are this machine's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mitigation import loops
from mitigation.design import interleave
from mitigation.gateway import Run, Settings
from mitigation.runner import session
from mitigation.store import Study
from mitigation.types import Cell, Identity, Model, Pairing, Scenario

BATTLES, MESSAGES, AT_ONCE = 200, 10, 100

SERVER = """
import asyncio, json, sys
DELAY = float(sys.argv[1])
BODY = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": {"prompt_tokens": 9,
    "completion_tokens": 9, "total_tokens": 18}, "choices": [{"index": 0, "finish_reason": "stop",
    "message": {"role": "assistant", "content": "A reply of some length that says nothing at all. " * 4}}]}).encode()
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(BODY)
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = next(int(l.split(b":")[1]) for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length"))
            await reader.readexactly(size)
            if DELAY:
                await asyncio.sleep(DELAY)
            writer.write(HEAD + BODY)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def cpu(action: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of an action."""
    processor, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - processor, time.perf_counter() - wall


def cell(model: Model, *, battles: int, messages: int) -> Cell:
    """One cell of battles of two equal models without an identity."""
    scenario = Scenario(
        name="bench", agents=("Bobby", "Robbie"), task="You are [[agent]]. Beat [[opponent]].", openers=("Begin.",)
    )
    pairing = Pairing(name="bench", first=model, second=model)
    control = Identity(name="control", role="control", expected="none")
    return Cell(identity=control, scenario=scenario, pairing=pairing, replicates=battles, messages=messages, seed=0)


def ours(model: Model, *, battles: int, messages: int, at_once: int, budget: float | None = None) -> None:
    """Fight with the runner: journal, ledger and budget on, every reply and every battle stored and synced."""
    from mitigation.work import opened

    cells = [cell(model, battles=battles, messages=messages)]
    settings = Settings(concurrency=at_once, budget=budget)
    with tempfile.TemporaryDirectory() as folder:
        study, state = Study(Path(folder), "bench"), Run()
        with opened(study, cells, concurrency=at_once) as work:
            loops.run(session(work, study, settings, state=state))
        assert state.done["complete"] == battles, (state.done, state.fault)


def shipped(base_url: str) -> None:
    """Fight with a plain loop over the SDK's client as it ships, nothing stored."""
    import openai

    async def battle(client: openai.AsyncOpenAI, gate: asyncio.Semaphore) -> None:
        texts = ["Begin."]
        async with gate:
            for index in range(1, MESSAGES + 1):
                roles = ["assistant" if place % 2 == index % 2 else "user" for place in range(len(texts))]
                history = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]
                messages = [{"role": "system", "content": "You are Bobby. Beat Robbie."}, *history]
                reply = await client.chat.completions.create(model="m", messages=messages)  # type: ignore[arg-type]
                texts.append(reply.choices[0].message.content or "")

    async def main() -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with openai.AsyncOpenAI(base_url=base_url, api_key="none") as client:
            await asyncio.gather(*(battle(client, gate) for _ in range(BATTLES)))

    asyncio.run(main())


def calls() -> None:
    """CPU of a call against the SDK's own loop."""
    import os

    with subprocess.Popen([sys.executable, "-c", SERVER, "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        os.environ["BENCH_KEY"] = "none"
        model = Model(name="m", provider="openai", base_url=url, api_key_env="BENCH_KEY", price={"input": 1.0, "output": 2.0})
        theirs = cpu(lambda: shipped(url))
        mine = cpu(lambda: ours(model, battles=BATTLES, messages=MESSAGES, at_once=AT_ONCE, budget=1e4))
        server.kill()
    count = BATTLES * MESSAGES
    per_call = [1000 * spent[0] / count for spent in (mine, theirs)]
    print(f"calls: {per_call[0]:.2f} ms CPU a call, stored and synced, against {per_call[1]:.2f} of the SDK's own loop")
    print(f"  ratio {mine[0] / theirs[0]:.2f}")


def latency() -> None:
    """Wall time against the ideal, 200 battles of 10 messages, 100 at once, half a second a reply."""
    import os

    with subprocess.Popen([sys.executable, "-c", SERVER, "0.5"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        os.environ["BENCH_KEY"] = "none"
        model = Model(name="m", provider="openai", base_url=url, api_key_env="BENCH_KEY", price={"input": 1.0, "output": 2.0})
        spent = cpu(lambda: ours(model, battles=BATTLES, messages=MESSAGES, at_once=AT_ONCE, budget=1e4))
        server.kill()
    # The call before the sweep, which every model is asked once, takes its half second too.
    ideal = BATTLES * MESSAGES / AT_ONCE * 0.5 + 0.5
    print(f"latency: {BATTLES * MESSAGES} calls of 0.5 s, {AT_ONCE} at once, in {spent[1]:.2f} s; the ideal is {ideal:.2f} s")
    print(f"  {100 * ideal / spent[1]:.0f} % of the ideal")


def resume() -> None:
    """Time and memory of finding out that 100,000 stored battles are done."""
    code = """
import resource, sys, time
from pathlib import Path
from tests.bench import cell
from mitigation.records import seal
from mitigation.store import Study
from mitigation.types import Model
from mitigation.work import opened, states
import dataclasses
from tests.test_store import battle
count, folder = int(sys.argv[1]), Path(sys.argv[2])
one = cell(Model(name="simulator", provider="scripted"), battles=count, messages=10)
study = Study(folder, "bench")
path = study.cell_folder(*one.key) / "battles.jsonl"
path.parent.mkdir(parents=True)
sample = dataclasses.asdict(battle())
sample |= {"identity": "control", "scenario": "bench", "pairing": "bench"}
text = "A reply of some length that says nothing at all. " * 4
sample["turns"] = [*sample["turns"]] + [dict(sample["turns"][1], index=i, text=text) for i in range(2, 11)]
with path.open("wb") as file:
    for number in range(count):
        file.write(seal(sample | {"battle_id": f"bench.bench.control.{number:05d}", "replicate": number}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
with opened(study, [one]) as work:
    assert not work.todo
    assert states(work.planned, study.statuses([one])[0])["complete"] == count
seconds = (time.perf_counter() - began) / 2
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
size = path.stat().st_size / 1e6
print(f"resume: {count:,} stored battles ({size:.0f} MB) scanned in {seconds:.1f} s, memory grew by {grown:.0f} MB")
"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", code, "100000", folder], check=True)


def embedded() -> None:
    """Tokens a second of the pool against one server that is asked for one battle after another without its cache."""
    from mitigation.providers.base import Prompt
    from mitigation.providers.embedded import MODEL, EmbeddedModel, ServerPool, cores

    extra = {"repeat_penalty": 1.15, "repeat_last_n": 256}
    model = Model(name=MODEL, provider="embedded", temperature=0.8, max_tokens=32, extra=extra)
    battles, messages = 8, 6

    async def naive() -> None:
        pool = ServerPool(1)
        asked = EmbeddedModel(model, {}, pool)
        await asked.start()
        body = asked._body
        asked._body = lambda prompt: body(prompt) | {"cache_prompt": False, "id_slot": 0}  # type: ignore[method-assign]
        from mitigation.battle import play

        for planned in interleave([cell(model, battles=battles, messages=messages)]):

            async def ask(seat: int, prompt: Prompt):
                return await asked.complete(prompt)

            await play(planned, ask)
        await asked.close()

    one = cpu(lambda: asyncio.run(naive()))
    many = cpu(lambda: ours(model, battles=battles, messages=messages, at_once=cores()))
    print(f"embedded: {battles} battles in {many[1]:.1f} s on {cores()} servers; one by one without a cache in {one[1]:.1f} s")
    print(f"  {one[1] / many[1]:.2f} times as fast")


def permutation() -> None:
    """Our stratified test against scipy's, which has no strata."""
    from scipy.stats import permutation_test as theirs

    from mitigation.significance.permutation import permutation_test

    rng = np.random.default_rng(0)
    values, treated = rng.random(10_000), np.repeat([False, True], 5_000)
    strata = np.tile(np.arange(4), 2_500)
    mine = cpu(lambda: permutation_test(values, treated, strata, resamples=10_000, rng=rng))
    pair = (values[:5_000], values[5_000:])

    def difference(a, b, axis):
        return np.mean(a, axis=axis) - np.mean(b, axis=axis)

    scipy = cpu(lambda: theirs(pair, difference, n_resamples=10_000, batch=100, vectorized=True, rng=rng))
    print(f"permutation: 10,000 resamples of 2 × 5,000 battles in {mine[1]:.2f} s; scipy without strata in {scipy[1]:.2f} s")
    print(f"  {scipy[1] / mine[1]:.1f} times as fast")


def detection() -> None:
    """Speed of the detector on messages of battles, on the labelled messages that are full of "we", and on hostile ones."""
    from mitigation.detectors import LexicalDetector, find_we, label_turn
    from mitigation.detectors.lexical import find
    from tests.messages import written

    battles = [
        turn["text"]
        for path in sorted(Path("results").glob("example/**/battles.jsonl"))
        for line in path.open(encoding="utf-8")
        for turn in json.loads(line)["turns"]
    ]
    labelled = [message.text for message in written()]
    whole = LexicalDetector()
    ways = {
        "rules for mentions": lambda text: find(text, "", lambda said, view, signs: said),
        "mentions": find_we,
        "labels": label_turn,
        "all, with evidence": lambda text: whole.detect(text, "", 1),
    }
    for name, texts in (("results/example", battles * 20), ("the labelled messages", labelled)):
        size = sum(len(text.encode()) for text in texts) / 1e6
        for way, judge in ways.items():
            judge("We warm up.")
            print(f"detection on {name}, {way}: {size / cpu(lambda: [judge(text) for text in texts])[0]:.1f} MB/s")  # noqa: B023
    prose = " ".join(labelled).replace("\n", " ")
    for text in ("we we " * 1_000_000, "we. " * 500_000, (prose * 100)[:10_000_000], "US " * 500_000):
        spent = cpu(lambda: whole.detect(text, "", 1))[0]  # noqa: B023
        print(f"one message, {text[:8]!r} …, {len(text) / 1e6:.0f} MB: {spent / len(text) * 1e6:.2f} s/MB (goal: less than 1)")


def composing() -> None:
    """The largest preset: composed, built, linted and planned, against Hydra's composition of one cell after another."""
    from hydra import compose

    from experiments import _sweeps, _wiring
    from experiments.lint import check_texts
    from mitigation.lint_sweeps import arms_of

    def ours() -> int:
        cells = _sweeps.sweep(["experiment=mechanism"]).cells
        check_texts(arms_of(cells), interleave(cells))
        return len(cells)

    def one_by_one() -> None:
        with _wiring.hydra():
            for _ in range(20):
                compose("battle", overrides=["study=x", "identity=role", "scenario=chess", "pairing=openai_self"])

    mine, theirs = cpu(ours), cpu(one_by_one)
    print(f"composing: 540 cells composed, linted and dealt in {mine[1]:.1f} s (goal: less than 10 s)")
    print(f"  one by one, composing alone would take {theirs[1] / 20 * 540:.0f} s")


if __name__ == "__main__":
    for part in (calls, latency, resume, composing, permutation, detection, embedded):
        part()
