"""Every error a user can meet, as one tree; each names the value, the fault and the remedy, and carries an exit code.

MitigationError                1  a fault of ours
├── ConfigError                2  the request is wrong: no battle was fought
│   └── ModelFileError         2  the embedded model's file is absent or altered
├── StoreError                 3  a file cannot be read or written
├── AnalysisError              3  there is nothing that can be analysed
├── Stopped                    3  the whole run has to stop (key refused, quota gone, disk full)
│   └── BudgetReached          4  another call could cost more than is left of budget.usd
└── CallError                  3  one model call failed for good; fails its battle only
    ├── CallRefused            3  the provider refused to answer: a state of the battle, not a fault
    ├── Postponed              3  not now: the battle stays pending, with every reply it has
    └── CallRetryable          3  this attempt failed in a way that may pass
        └── CallEmpty          3  a reply came, and held no text
"""

from __future__ import annotations


class MitigationError(Exception):
    """Base of all errors that are shown to a user as one short message without a traceback."""

    exit_code = 1


class ConfigError(MitigationError):
    """The configuration or the command line is wrong."""

    exit_code = 2


class ModelFileError(ConfigError):
    """The embedded model's file is missing or is not the file this version was tested with."""


class StoreError(MitigationError):
    """A file of results or of proposals is unreadable or cannot be written."""

    exit_code = 3


class AnalysisError(MitigationError):
    """There is no scored battle, or the table breaks the rules that an analysis needs."""

    exit_code = 3


class Stopped(MitigationError):
    """A fault that every further call would meet: the run stops and what is missing stays pending."""

    exit_code = 3


class BudgetReached(Stopped):
    """No call can be sent that would surely stay within the budget; nothing is in flight."""

    exit_code = 4


class CallError(MitigationError):
    """One call failed for good.

    Args:
        message: what happened.
        paid: whether the provider may charge for it: a request was sent and not turned down with an HTTP error.
        usage: tokens of prompt and reply, where the provider told them.
    """

    exit_code = 3

    def __init__(self, message: str, *, paid: bool = False, usage: tuple[int | None, int | None] = (None, None)) -> None:
        super().__init__(message)
        self.paid = paid
        self.usage = usage


class CallRefused(CallError):
    """The provider refused to answer (content filter, stop reason refusal)."""


class Postponed(CallError):
    """The call was not made or not answered for now (rate limit, interruption): its battle stays pending."""


class CallRetryable(CallError):
    """One attempt failed in a way that another attempt may mend.

    Args:
        retry_after: seconds that the provider asked to wait, or None.
        limited: the provider asked to slow down (HTTP 429): no fault of the call.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        limited: bool = False,
        paid: bool = False,
        usage: tuple[int | None, int | None] = (None, None),
    ) -> None:
        super().__init__(message, paid=paid, usage=usage)
        self.retry_after = retry_after
        self.limited = limited


class CallEmpty(CallRetryable):
    """A reply came back without a word in it; it is paid for and cannot be a message."""
