"""`make accuracy`: the detector on authors that it was not fitted to, beside its rules alone and a baseline.

Every author is left out in turn: the weights are trained on the others and score this one. The rules were written before any of
these messages, on other ones; a few were widened after a reading of authors a to j, and of no others. Intervals resample whole
messages within authors. The baseline gives the label to every mention, or to every message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mitigation.detectors.model import ACCURACY, FILE
from mitigation.topic import nearness
from mitigation.types import LABELS as KINDS
from tests.messages import FIRST, LABELS, first, written
from tests.training import Example, left_out, said_of, thresholds

CONF = Path(__file__).parent.parent / "conf" / "scenario"
RESAMPLES = 2_000
READ = "abcdefghij"
"""Authors whose messages were read when rules were widened."""


@dataclass(frozen=True)
class Case:
    """A mention or a message: what is true of it, what the detector says, and what its rules alone say."""

    author: str
    message: str
    truth: frozenset[str]
    said: frozenset[str]
    ruled: frozenset[str]


@dataclass(frozen=True)
class Score:
    """How well one label is found; `low` and `high` bound the F1."""

    real: int
    precision: float
    recall: float
    f1: float
    low: float
    high: float


def score(cases: Sequence[Case], label: str, *, rules: bool = False) -> Score:
    """Return how well a label is found in the cases."""
    names = sorted({(case.author, case.message) for case in cases})
    place = {name: k for k, name in enumerate(names)}
    counts = np.zeros((len(names), 3))  # right, said, true
    for case in cases:
        said, true = label in (case.ruled if rules else case.said), label in case.truth
        counts[place[case.author, case.message]] += said and true, said, true
    rng, drawn = np.random.default_rng(0), np.zeros((RESAMPLES, 3))
    authors = np.array([author for author, _ in names])
    for author in sorted(set(authors)):
        own = counts[authors == author]
        drawn += rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=RESAMPLES) @ own
    low, high = np.quantile(2 * drawn[:, 0] / np.maximum(1, drawn[:, 1] + drawn[:, 2]), [0.025, 0.975])
    right, claimed, real = counts.sum(axis=0)
    return Score(int(real), right / max(1, claimed), right / max(1, real), 2 * right / max(1, claimed + real), low, high)


def table(title: str, cases: Sequence[Case], labels: Sequence[str]) -> None:
    """Print a Markdown table with a row a label and the mean over labels."""
    print(f"\n| {title} | n | precision | recall | F1 [95 %] | rules alone | baseline |\n|---|---|---|---|---|---|---|")
    means = np.zeros(3)
    for label in labels:
        found = score(cases, label)
        others = score(cases, label, rules=True).f1, 2 * found.real / (len(cases) + found.real)
        means += found.f1, *others
        interval = f"{found.f1:.2f} [{found.low:.2f}, {found.high:.2f}]"
        line = f"| {label} | {found.real} | {found.precision:.2f} | {found.recall:.2f} | {interval} "
        print(f"{line}| {others[0]:.2f} | {others[1]:.2f} |")
    print("| mean | | | | {:.2f} | {:.2f} | {:.2f} |".format(*(means / len(labels))))


def mentions(examples: Sequence[Example], sums: np.ndarray) -> list[Case]:
    """Return the mentions of authors left out as cases."""
    return [
        Case(one.author, one.message, frozenset([str(one.truth)]), frozenset([said_of(one, sums[k])]), _ruled(one))
        for k, one in enumerate(examples)
        if one.author != FIRST
    ]


def messages(examples: Sequence[Example], sums: np.ndarray) -> list[Case]:
    """Return the messages of authors left out as cases; the thresholds are of the other authors too."""
    cases = []
    for author in sorted({one.author for one in examples} - {FIRST}):
        others = [k for k, one in enumerate(examples) if one.author != author]
        cuts = np.array(thresholds([examples[k] for k in others], sums[others]))
        for k, one in enumerate(examples):
            if one.author == author:
                said = {label for label, over in zip(LABELS, sums[k] >= cuts, strict=True) if over}
                said |= {"ai_identity"} if "shared_ai_identity" in said else set()
                cases.append(Case(author, one.message, frozenset(one.truth), frozenset(said), _ruled(one)))
    return cases


def _ruled(example: Example) -> frozenset[str]:
    return frozenset(value for kind, _, values in example.features if kind == "rule" for value in values)


def known(mentioned: Sequence[Case], told: Sequence[Case]) -> str:
    """Return the figures as JSON, with the digest of the weights that they are of."""
    rows = []
    for level, cases, labels in (("mention", mentioned, KINDS), ("message", told, LABELS)):
        for label in labels:
            found = score(cases, label)
            others = {"rules_f1": score(cases, label, rules=True).f1, "baseline_f1": 2 * found.real / (len(cases) + found.real)}
            numbers = vars(found) | others
            rows.append({"level": level, "label": label} | {name: round(value, 4) for name, value in numbers.items()})
    head = {
        "weights": hashlib.sha256(FILE.read_bytes()).hexdigest(),
        "authors": len({case.author for case in told}),
        "messages": len(told),
        "mentions": len(mentioned),
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    return f'{json.dumps(head)[:-1]}, "labels": [\n{lines}\n]}}\n'


def drift() -> str:
    """Say how well nearness to the task tells messages that leave it from the others: the area under the ROC curve."""
    tasks = {}
    for name in {message.scenario for message in (*written(), *first())}:
        found = [path for path in (CONF / f"{name}.txt", CONF / f"{name}.openers.txt") if path.exists()]
        tasks[name] = " ".join(path.read_text("utf-8") for path in found)
    told = [message for message in (*written(), *first()) if message.labels is not None and tasks[message.scenario]]
    near = np.array(nearness([(message.text, tasks[message.scenario]) for message in told]))
    left = np.array(["topic_drift" in (message.labels or ()) for message in told])
    area = float(np.mean(near[left][:, None] < near[~left]) + np.mean(near[left][:, None] == near[~left]) / 2)
    return f"nearness to the task, {left.sum()} of {len(told):,} messages leave it: area under the curve {area:.2f}"


def main() -> None:
    """Print the tables and the spread over authors, and write what reports print."""
    mentioned, sums, whole, whole_sums = left_out()
    cases, texts = mentions(mentioned, sums), messages(whole, whole_sums)
    ACCURACY.write_text(known(cases, texts), "utf-8")
    authors = sorted({case.author for case in cases})
    print(f"{len(cases):,} mentions, {len(texts):,} messages, {len(authors)} authors, each left out in turn")
    table("mention", cases, KINDS)
    by_author = {author: score([case for case in cases if case.author == author], "ingroup").f1 for author in authors}
    print("\nin-group F1 by author: " + ", ".join(f"{author} {f1:.2f}" for author, f1 in by_author.items()))
    table("message", texts, LABELS[:10])
    table("message, further labels", texts, LABELS[10:])
    print(f"\n{drift()}")
    print("\nAuthors that nobody read when rules were widened:")
    table("mention", [case for case in cases if case.author not in READ], KINDS)
    table("message", [case for case in texts if case.author not in READ], LABELS)


if __name__ == "__main__":
    main()
