"""The frozen values that every stage speaks; they validate themselves.

Data flows as Identity × Scenario × Pairing → Cell → Battle → Transcript → Detection → Outcome → Contrast.
"Could not be judged" is None and is counted; it is never 0 and never NaN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from mitigation.checks import check_bool, check_choice, check_float, check_int, check_name
from mitigation.errors import ConfigError
from mitigation.profiles import Profile

Provider = Literal["openai", "anthropic", "embedded", "scripted"]
Seats = Literal["distinct", "same", "first", "second", "alternate", "none"]
Role = Literal["control", "treatment", "placebo", "positive_control", "mechanism"]
Expected = Literal["less", "more", "none"]
Status = Literal["complete", "refused", "failed", "pending", "excluded"]
Ending = Literal["conceded", "message_limit", "refused", "provider_error"]
Label = Literal["ingroup", "opponent_frame", "exclusive", "generic", "quoted", "other"]
Tier = Literal["social", "dyadic"]
Rate = Literal["messages", "words"]
Correction = Literal["holm", "max_t"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
ENDINGS: Final[tuple[Ending, ...]] = get_args(Ending)
LABELS: Final[tuple[Label, ...]] = get_args(Label)

ONE_SEAT: Final[tuple[Seats, ...]] = ("first", "second", "alternate")
MAX_MESSAGES: Final = 1_000
MAX_REPLICATES: Final = 1_000_000
# Run on this machine: replies cost nothing and come out the same when a battle begins again.
LOCAL: Final = frozenset(("embedded", "scripted"))
# Fields of a request that the design sets, or that would change its price; `extra` may not hold them.
RESERVED: Final = frozenset(
    "model messages system seed temperature max_tokens max_completion_tokens n stream tools service_tier cache_control".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One arm: what is added to the system prompt of the agents.

    Attributes:
        name: name of the arm in results and reports.
        bank: wordings of the identity; empty when nothing is added (control).
        seats: which agents receive a wording. "distinct": a different one each; "same": one for both; "first", "second":
            one agent only; "alternate": one agent, in balance over openers and seat orders; "none": nobody.
        role: what the arm is for in the analysis; "mechanism" arms tell why a treatment works.
        expected: direction of the in-group rate against control that was foreseen before any data.
        profile: what its texts have to be like, for the linter; no part of what is fought.
    """

    name: str
    bank: tuple[str, ...] = ()
    seats: Seats = "none"
    role: Role = "treatment"
    expected: Expected = "less"
    profile: Profile = field(default_factory=Profile)

    @property
    def rules(self) -> Profile:
        """The profile, if it was written for this arm: a copy of a file holds that of another."""
        return self.profile if self.profile.of in (None, self.name) else Profile()

    def __post_init__(self) -> None:
        check_name(self.name, "identity.name")
        check_choice(self.seats, f"seats of identity {self.name}", get_args(Seats))
        check_choice(self.role, f"role of identity {self.name}", get_args(Role))
        check_choice(self.expected, f"expected of identity {self.name}", get_args(Expected))
        needed = {"none": 0, "distinct": 2}.get(self.seats, 1)
        if len(self.bank) < needed or (self.seats == "none" and self.bank):
            raise ConfigError(
                f"identity {self.name} has {len(self.bank)} wordings, but seats={self.seats} needs "
                f"{'none' if self.seats == 'none' else f'at least {needed}'}: mend its text file or its seats"
            )
        if len(set(self.bank)) < len(self.bank):
            raise ConfigError(f"identity {self.name} holds the same wording twice: remove one from its text file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What the battle is about.

    Attributes:
        name: name in results and reports.
        agents: names of the agent that opens and of the one that answers.
        task: system prompt; the markers [[agent]] and [[opponent]] become the two names.
        openers: first messages to choose from, with the same markers; message 0 of every battle is one of them.
        game: name of the game in `mitigation.games` whose moves the messages hold; None where words are all there is.
    """

    name: str
    agents: tuple[str, str]
    task: str
    openers: tuple[str, ...]
    game: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "scenario.name")
        if self.agents[0] == self.agents[1] or not all(self.agents):
            raise ConfigError(f"scenario {self.name} has agents {self.agents!r}: name two different agents")
        if not self.task.strip():
            raise ConfigError(f"scenario {self.name} has an empty task: write its text file")
        if not self.openers or not all(o.strip() for o in self.openers):
            raise ConfigError(f"scenario {self.name} has no opener or an empty one: write at least one into its openers file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model as a provider serves it.

    Attributes:
        name: the model id that is sent.
        provider: which client speaks to it.
        base_url: endpoint; None leaves it to the SDK's own environment variable.
        api_key_env: name of the variable that holds the key; None leaves it to the SDK's own. Never the key itself.
        temperature: sampling temperature; None where it cannot be set.
        max_tokens: longest reply in tokens.
        extra: further fields of the request body, as the provider names them.
        price: dollars for a million tokens, {"input": ..., "output": ...}; None looks the model up in a price list.
        requests_per_minute, tokens_per_minute: limits of the account to stay under; None leaves it to the provider's refusals.
    """

    name: str
    provider: Provider
    base_url: str | None = None
    api_key_env: str | None = None
    temperature: float | None = None
    max_tokens: int = 300
    extra: Mapping[str, Any] = field(default_factory=dict)
    price: Mapping[str, float] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > 200:
            raise ConfigError(f"model.name={self.name!r} is not a model id: give the id that the provider lists")
        check_choice(self.provider, f"provider of model {self.name}", get_args(Provider))
        if self.temperature is not None:
            # A whole number and the same with a point are one temperature, and have to be one in hashes.
            warmth = check_float(self.temperature, f"temperature of model {self.name}", low=0.0, high=2.0)
            object.__setattr__(self, "temperature", warmth)
        check_int(self.max_tokens, f"max_tokens of model {self.name}", low=1, high=32_000)
        if self.base_url is not None and not re.match(r"https?://[^\s@?#]+$", str(self.base_url)):
            raise ConfigError(
                f"base_url of model {self.name} is no endpoint: begin it with http:// or https://, without a name, key or query"
            )
        if not isinstance(self.extra, Mapping):
            raise ConfigError(f"extra={self.extra!r} of model {self.name} is no mapping: give fields of the request, or {{}}")
        if taken := RESERVED.intersection(self.extra):
            raise ConfigError(f"extra.{min(taken)} of model {self.name} would replace what the study records: it cannot be set")
        self._check_money()
        if self.api_key_env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", self.api_key_env):
            raise ConfigError(f"api_key_env of model {self.name} names no environment variable (never put a key there)")

    @property
    def free(self) -> bool:
        """Whether its replies cost nothing and can be made again, so that no journal and no ledger is kept of them."""
        return self.provider in LOCAL

    def _check_money(self) -> None:
        for limit in ("requests_per_minute", "tokens_per_minute"):
            if getattr(self, limit) is not None:
                check_int(getattr(self, limit), f"{limit} of model {self.name}", low=1, high=10**9)
        if self.price is not None and set(self.price) != {"input", "output"}:
            raise ConfigError(f"price={self.price!r} of model {self.name}: give input and output in dollars for a million tokens")
        for kind, dollars in (self.price or {}).items():
            check_float(dollars, f"price.{kind} of model {self.name}", low=0.0, high=1e5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which model meets which; the two swap seats from block to block."""

    name: str
    first: Model
    second: Model

    def __post_init__(self) -> None:
        check_name(self.name, "pairing.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of arm, scenario and pairing, with how many battles it holds and how long they may last.

    Attributes:
        replicates: battles in this cell.
        messages: limit of generated messages in a battle; the scripted opener is not counted.
        seed: root seed of the study.
        manipulation_check: ask each agent in private, after the battle, who it is and which group the two belong to.
    """

    identity: Identity
    scenario: Scenario
    pairing: Pairing
    replicates: int
    messages: int
    seed: int
    manipulation_check: bool = False

    def __post_init__(self) -> None:
        check_int(self.replicates, "replicates", low=1, high=MAX_REPLICATES)
        check_int(self.messages, "messages", low=1, high=MAX_MESSAGES)
        check_int(self.seed, "seed", low=0, high=2**63 - 1)
        check_bool(self.manipulation_check, "manipulation_check")

    @property
    def key(self) -> tuple[str, str, str]:
        """Names of arm, scenario and pairing."""
        return self.identity.name, self.scenario.name, self.pairing.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Battle:
    """One battle as designed, before it is fought.

    Attributes:
        battle_id: ASCII, unique in the study, the same whatever else is swept.
        replicate: number of the block inside scenario × pairing, from 0.
        opener: index into the scenario's openers (follows the block).
        swapped: True when the pairing's second model opens (follows the block).
        wording: index into the identity's bank for each seat, None where the seat receives nothing.
        seed: sampling seed (follows the battle).
        run_order: place in the randomised, interleaved order.
    """

    battle_id: str
    cell: Cell
    replicate: int
    opener: int
    swapped: bool
    wording: tuple[int | None, int | None]
    seed: int
    run_order: int

    @property
    def models(self) -> tuple[Model, Model]:
        """Model of each seat."""
        pairing = self.cell.pairing
        return (pairing.second, pairing.first) if self.swapped else (pairing.first, pairing.second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One side of a battle as it was played: seat 0 opens. What a transcript from elsewhere does not say is None."""

    name: str
    model: str | None = None
    provider: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    wording: int | None = None
    prompt_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message. Index 0 is the scripted opener: it was not generated and is never scored."""

    index: int
    agent: str
    text: str
    model: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One battle as it was fought; the fields are those of a line of battles.jsonl.

    `flags` holds "rule:message index" for messages that a rule of flags.py noticed (a truncated reply, an "if I lose"), `calls`
    every attempt that was sent for it, `usd` what they cost (None: not known). `check` holds the private answers to the
    manipulation check; an agent that gave none has none.
    """

    battle_id: str
    identity: str
    scenario: str
    pairing: str
    opener: int
    replicate: int
    seed: int | None
    wording: tuple[int | None, ...]
    status: Status
    ending: Ending | None
    run_order: int | None
    started_at: str | None
    finished_at: str | None
    agents: tuple[Agent, ...]
    turns: tuple[Turn, ...]
    flags: tuple[str, ...] = ()
    error: str | None = None
    calls: int | None = None
    usd: float | None = None
    check: tuple[Turn, ...] = ()

    @property
    def replies(self) -> tuple[Turn, ...]:
        """The generated messages."""
        return tuple(turn for turn in self.turns if turn.index > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One first-person plural in a message; `start` and `end` are code points of its text."""

    label: Label
    tier: Tier | None
    start: int
    end: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a detector saw in one message: None where it could not judge (`fault` says why); `evidence` is the span of a label."""

    index: int
    mentions: tuple[Mention, ...] | None
    labels: Mapping[str, bool | None]
    evidence: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisPlan:
    """How a study is analysed; fixed before the data are looked at.

    Attributes:
        control: name of the arm that every other arm is compared with.
        placebo: name of the placebo arm; a fall that is not also a fall against it is "explained".
        rate: denominator of a battle's rate.
        alpha: two-sided level of the primary outcome over all treatments together.
        correction: how its p values are adjusted for several treatments. "max_t" uses that they share the control.
        looks: times at which the study may be analysed, evenly spaced over its blocks, the end among them (O'Brien & Fleming).
        resamples: label permutations when not all can be enumerated.
        smallest_effect: rate ratio nearest to 1 that would still matter; "no evidence" needs an interval that excludes it.
        side_effect_margin: largest rise in the share of battles with a refusal, a hostile message or drift that is tolerated.
        seed: seed of the permutations.
    """

    control: str = "control"
    placebo: str = "placebo"
    rate: Rate = "messages"
    alpha: float = 0.05
    correction: Correction = "holm"
    looks: int = 1
    resamples: int = 10_000
    smallest_effect: float = 0.8
    side_effect_margin: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self.rate, "rate", get_args(Rate))
        check_choice(self.correction, "correction", get_args(Correction))
        for name, low, high in (("alpha", 1e-6, 0.5), ("smallest_effect", 0.01, 0.99), ("side_effect_margin", 0.0, 1.0)):
            object.__setattr__(self, name, check_float(getattr(self, name), name, low=low, high=high))
        for name, least, most in (("looks", 1, 20), ("resamples", 99, 10_000_000), ("seed", 0, 2**63 - 1)):
            check_int(getattr(self, name), name, low=least, high=most)
        if self.looks > 1 and self.correction != "holm":
            raise ConfigError(f"looks={self.looks} needs correction=holm: {self.correction} does not allow for looks")
