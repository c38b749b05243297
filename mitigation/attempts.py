"""The attempts of one call: each is entered in the ledger before it is sent and closed with what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime

from mitigation.errors import BudgetReached, CallError, CallRetryable, Postponed, Stopped
from mitigation.journal import Reply
from mitigation.ledger import Close, Try
from mitigation.limits import pause
from mitigation.patience import Deadline
from mitigation.prices import at_most, most_tokens, price, spent
from mitigation.providers.base import ChatModel, Completion, Prompt
from mitigation.recorder import Recorder


class CutShort(CallRetryable):
    """The deadline of the battle came before the one of the attempt."""


class Attempts:
    """Sends one prompt as often as it is told to.

    Args:
        model: what to ask; what a free model is asked is not recorded.
        prompt: what to say.
        recorder: where attempts are entered; None where nothing is recorded.
        seconds: hard deadline of an attempt.
        stopping: set when nothing more is to be sent.

    Attributes:
        count: attempts that were sent.
    """

    def __init__(
        self, model: ChatModel, prompt: Prompt, *, recorder: Recorder | None, seconds: float, stopping: asyncio.Event
    ) -> None:
        self.count = 0
        self._model, self._prompt = model, prompt
        self._recorder = None if model.model.free else recorder
        self._seconds, self._stopping = seconds, stopping
        self._began = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._usd: float | None = 0.0
        self._price = price(model.model)
        self._most = at_most(self._price, model.model, prompt)

    @property
    def tokens(self) -> int:
        """What an attempt may take of the tokens a minute, roughly."""
        return most_tokens(self._prompt) // 4 + self._model.model.max_tokens

    async def send(self, deadline: Deadline | None) -> Completion:
        """Send once; the errors are those of `ChatModel.complete`, BudgetReached and Postponed.

        An attempt that the deadline cuts short says nothing about the provider: it is raised as `CutShort`.
        """
        await self._admit(deadline)
        self.count += 1
        left = float("inf") if deadline is None else max(0.001, deadline.left)
        seconds = min(self._seconds, left)
        try:
            async with asyncio.timeout(seconds):
                return await self._model.complete(self._prompt)
        except TimeoutError:
            self._close("no answer in time", self._most)
            kind = CutShort if left < self._seconds else CallRetryable
            raise kind(f"no reply within {seconds:.3g} s", paid=True) from None
        except CallError as error:
            self._close(type(error).__name__, self._cost(error.usage) if error.paid else 0.0)
            raise
        except Stopped:
            self._close("turned down", 0.0)
            raise

    def keep(self, completion: Completion, *, empty: int, keep: Callable[[Reply], None] | None) -> Reply:
        """Return the reply with what it took; `keep` stores it before its attempt is closed."""
        usd = self._cost((completion.input_tokens, completion.output_tokens))
        reply = Reply(
            completion=completion,
            prompt=self._prompt.digest,
            calls=self.count,
            empty=empty,
            usd=None if usd is None or self._usd is None else self._usd + usd,
            began=self._began,
        )
        if keep:
            keep(reply)
        self._close("reply", usd)
        if self._recorder and self._recorder.ledger.cap is not None and usd and usd > (self._most or 0.0) * 1.000001:
            raise Stopped(
                f"{self._model.model.name} charges ${usd:.4f} for a call that could cost ${self._most or 0.0:.4f} at the most: "
                "it does not keep to max_tokens, so no budget can be kept; leave budget.usd out, or choose another model"
            )
        return reply

    async def _admit(self, deadline: Deadline | None) -> None:
        """Enter an attempt in the ledger; wait while the cap is taken up by calls that may turn out cheaper."""
        recorder = self._recorder
        if recorder is None:
            return
        entry, ledger = Try(self._prompt.call, self.count + 1, self._most), recorder.ledger
        while (answer := recorder.attempt(entry)) != "yes":
            if self._stopping.is_set():
                raise Postponed("the run is stopping")
            if answer == "never":
                raise BudgetReached(
                    f"budget.usd={ledger.cap:g} is reached: ${ledger.totals.usd:.4f} are spent and the next call could cost "
                    f"${entry.usd or 0.0:.4f}; raise budget.usd to go on"
                )
            recorder.short += 1
            try:
                with deadline.paused() if deadline else nullcontext():
                    await pause(1.0 if ledger.shared else 0.05, self._stopping)
            finally:
                recorder.short -= 1

    def _cost(self, usage: tuple[int | None, int | None]) -> float | None:
        """Return what an attempt cost; without a count of tokens, the most that it can have cost."""
        known = spent(self._price, usage)
        return self._most if known is None else known

    def _close(self, how: str, usd: float | None) -> None:
        """Enter what came of the latest attempt."""
        self._usd = None if usd is None or self._usd is None else self._usd + usd
        if self._recorder is not None:
            self._recorder.close(Close(self._prompt.call, self.count, usd, how))
