"""What a rule of the cascade is: a name, a label, a pattern and a reason.

Patterns read a sentence in normal form (see `passages`): lower case, contractions written out, and only the mention that
is judged in capitals: WE, US, OUR, OURSELVES. `@` stands for any of them; a "we" in lower case is another mention.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from mitigation.detectors.sieve import Sieve
from mitigation.types import Label

Scope = Literal["clause", "sentence", "before", "after", "context"]

MENTIONS: Final = ("WE", "US", "OUR", "OURSELVES")
_SPELLED: Final = re.compile(r"\b(?:WE|US|OURSELVES|OUR)\b")


class Rule(NamedTuple):
    """One line of the cascade: `pattern` in `scope` gives the mention `label` if its sentence holds `needs` but not `unless`."""

    name: str
    label: Label
    pattern: re.Pattern[str]
    reason: str
    scope: Scope = "sentence"
    unless: re.Pattern[str] | None = None
    needs: re.Pattern[str] | None = None
    mentions: frozenset[str] = frozenset()


def rule(
    name: str,
    label: Label,
    pattern: str,
    reason: str,
    scope: Scope = "sentence",
    unless: str | None = None,
    needs: str | None = None,
) -> Rule:
    """Compile a rule; a pattern that spells some mentions is tried on those only, one with `@` or without any is tried on all."""
    spelled = set(_SPELLED.findall(pattern)) if "@" not in pattern else set()
    mention = "(?:WE|US|OUR|OURSELVES)"
    veto = re.compile(unless.replace("@", mention)) if unless else None
    need = re.compile(needs.replace("@", mention)) if needs else None
    compiled = re.compile(pattern.replace("@", mention))
    return Rule(name, label, compiled, reason, scope, veto, need, frozenset(spelled or MENTIONS))


class Cascade:
    """Rules in their order."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        by_scope: dict[Scope, list[int]] = {}
        for place, line in enumerate(rules):
            by_scope.setdefault(line.scope, []).append(place)
        self._sieves = [(scope, places, Sieve([rules[k].pattern for k in places])) for scope, places in by_scope.items()]

    def first_match(self, mention: str, scopes: Mapping[str, str]) -> Rule | None:
        """Return the first rule that matches a mention, one of MENTIONS; `scopes` holds the text of every scope."""
        view = scopes["sentence"]
        near = [places[k] for scope, places, sieve in self._sieves for k in sieve.candidates(scopes[scope])]
        for line in map(self._rules.__getitem__, sorted(near)):
            if (
                mention in line.mentions
                and line.pattern.search(scopes[line.scope])
                and not (line.unless and line.unless.search(view))
                and (line.needs is None or line.needs.search(view))
            ):
                return line
        return None


# A noun phrase and the speaker ("my rook and I"), but not "you and I".
AND_I: Final = (
    r"(?:(?:^|[,.;:(] ?|\b(?:because|that|since|and|but|so|when|as|if|which|while) )(?:(?!your?\b|yours\b|i\b|is\b|"
    r"are\b|was\b)[\w'-]+ ){0,4}"
    r"(?!you\b|your\b|yours\b|both\b|win\b|lose\b|wins\b|done\b|here\b|there\b|so\b|now\b|it\b|that\b|this\b|"
    r"again\b|too\b|me\b)"
    r"[\w'-]{2,} and (?:i|me|myself)\b(?! (?:am|will|would|have|was|do|did|can|could|win|won|lose|lost|think|want|"
    r"know|say|said|see|"
    r"suppose|should|must|never|always|shall|intend|hold|like|love|still|hope|need|see|ask|really|also|take|"
    r"had)\b)"
    r"|\bmy (?:[\w'-]+,? ){1,4}(?:(?:my|the) [\w'-]+ )?and (?:i|me|myself)\b|\b(?:the other|the rest|"
    r"the) [\w'-]+(?: [\w'-]+){0,3} and i (?:share|are|were|"
    r"have|had|did|built|run|ran|made|agree|go|went|wrote|work|never|both)\b|^me, |\b(?:me|myself),? and (?:my|the|"
    r"him|her|them|his|[a-z]+ and)\b|\bme, my\b|\bmyself and (?!you)|\bi and (?:my|the)\b)"
)
