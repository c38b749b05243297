"""What the texts of an arm have to be like, as its YAML file says it; the linter (`lint.py`) holds them to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mitigation.checks import check_choice, check_float, check_name
from mitigation.errors import ConfigError
from mitigation.social_groups import GROUPS

KINDS: Final = ("plural", "groups", *GROUPS)
"""What can be forbidden: words such as we and us, any common social group, or one kind of group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Rules for the wordings of one arm; an arm without any is only checked for what holds of all.

    Attributes:
        of: arm that the rules were written for; in a copy under another name they are not applied. None: for whoever has them.
        like: arm whose bank this one is as long as, in words and in tokens (bank against bank, ± 10 %); None: of any length.
        same_words_as: arm whose wordings hold the same words, one by one, in another order.
        same_texts_as: arm whose bank this one uses as it is.
        forbid: kinds of words (`KINDS`) that no wording may hold. A group that is denied ("you have no kind") is not named.
        hold: phrases that every wording holds, whatever the case of their letters.
        second_person: lowest and highest mean number of "you" and "your" in a wording; None: any.
    """

    of: str | None = None
    like: str | None = None
    same_words_as: str | None = None
    same_texts_as: str | None = None
    forbid: Sequence[str] = ()
    hold: Sequence[str] = ()
    second_person: Sequence[float] | None = None

    def __post_init__(self) -> None:
        for field in ("of", "like", "same_words_as", "same_texts_as"):
            if getattr(self, field) is not None:
                check_name(getattr(self, field), f"profile.{field}")
        for field in ("forbid", "hold"):
            value = getattr(self, field)
            if isinstance(value, str) or not all(isinstance(entry, str) and entry for entry in value):
                raise ConfigError(f"profile.{field}={value!r} is no list of words: write it as [word, word]")
            object.__setattr__(self, field, tuple(value))
        for kind in self.forbid:
            check_choice(kind, "profile.forbid", KINDS)
        if self.second_person is not None:
            bounds = tuple(check_float(b, "profile.second_person", low=0, high=1000) for b in self.second_person)
            if len(bounds) != 2 or bounds[0] > bounds[1]:
                raise ConfigError(f"profile.second_person={self.second_person!r}: give the lowest and the highest mean, [4, 9]")
            object.__setattr__(self, "second_person", bounds)
