"""Rules of the cascade for pronouns that are quoted or spoken of, and for those that mean one person only."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import rule

QUOTED: Final = (
    rule(
        "asked for the wording",
        "quoted",
        r"\bwhat (?:does|did|do) (?:the|it|that|your|they) [^?]{0,40}\b(?:say|said|read|chant|shout)\b",
        "gives the wording that was asked for",
        scope="context",
        needs=r"^ ?[\"“]",
    ),
    rule("word", "quoted", r"\b(?:word|words|pronoun|pronouns|syllable|term)s?:? @", "the word itself is spoken of"),
    rule(
        "the we",
        "quoted",
        r"\b(?:the|an?|your|no|that|this|any|little|royal|big) (?:WE|US)(?= ?[.,;!?)]| (?:is|was|if|in (?:this|your|"
        r"here|my)|here|of yours|from|"
        r"stands|means|between|about|there|thing|business|part|talk|stuff|at all|anymore)\b|$)",
        "the pronoun is used as a noun",
        unless=r"\b(?:both|all|each|one|two|either|neither|none|which|best|better|most|some|many|rest|pair|any|of the|half|"
        r"because) of US",
    ),
    rule(
        "you say we",
        "quoted",
        r"\b(?:say|says|said|saying|write|wrote|typed?|use|used|using|hear|heard|call it|keep|mean,?|mean by|means by|"
        r"with|who is|what is|whose|"
        r"called) (?:WE|US|OUR)(?= ?[.,;!?:)]| (?:a lot|again|so|like|as if|twice|once|when|one|too|and mean|often|"
        r"every|without|there)\b|$)",
        "the word is mentioned, not used",
    ),
    rule(
        "document says",
        "quoted",
        r"\b(?:pamphlet|poster|slogan|motto|sign|contract|clause|letter|brochure|anthem|lyrics?|song|chorus|manifesto|"
        r"headline|banner|press release|leaflet|flyer|plaque|"
        r"billboard|advert|ad|proverb|oath|pledge|constitution|hymn|treaty|charter|memo|label)s? (?:says?|said|reads?|"
        r"goes|ran|runs|begins|began|states?|stated|promises)\b(?! that)[^A-Z]{0,60}@",
        "the words of a document",
    ),
    rule(
        "who we",
        "quoted",
        r"(?:^|[.,;!?] ?)(?:who|what do you mean|since when is there an?|whose|what|which),? (?:WE|US|OUR) ?[?!]",
        "asks what the word means",
    ),
    rule("echo", "quoted", r"^(?:WE|US|OUR) ?[?!]+ ?$", "echoes the other's word"),
)

OTHER: Final = (
    rule("amused", "other", r"WE are not (?:amused|impressed)", "royal we"),
    rule(
        "proclaim",
        "other",
        r"\b(?:we|WE) (?:proclaim|decree|ordain|deign|command)\b|(?:our|OUR) (?:loyal )?subjects\b",
        "royal we: a ruler speaks",
    ),
    rule(
        "royal verb",
        "other",
        rf"WE (?:\w+ly )?(?:do )?{v.ROYAL} (?:you|thee|your|thy|this|that|it so|to)\b",
        "royal we: a ruler speaks",
        unless=r"\b(?:offer|price|terms|deal|refund|return|truce|draw|both|company|policy|proposal|request)\b",
    ),
    rule(
        "kneel",
        "other",
        r"\b(?:bow|kneel|grovel|tremble|worship|adore|applaud|behold|amuse|address|approach|"
        r"praise)\b[^.!?]{0,20} (?:US|OUR)",
        "royal us",
    ),
    rule("regalia", "other", rf"OUR (?:\w+ )?{v.REGALIA}\b", "royal our"),
    rule(
        "we the sun",
        "other",
        r"WE are (?:the )?(?:sun|moon|universe|cosmos|king|queen|emperor|majesty|monarch|sovereign|crown|state)\b",
        "royal we",
    ),
    rule("nurse ing", "other", r"\b(?:and )?how are WE \w+ing\b", "nurse's we: means you"),
    rule(
        "nurse",
        "other",
        r"\b(?:how|what) (?:are|do|did|have) WE (?:feeling|doing|holding|eating|wearing|today|sleeping|been)\b",
        "nurse's we: means you",
    ),
    rule(
        "nurse state",
        "other",
        r"\b(?:are|did|have|do|has) (?:not )?WE (?:a (?:little|bit)|feeling|having|throwing|taken?|forget|forgotten|"
        r"tired|grumpy|cranky|nervous|"
        r"been (?:eating|drinking|sleeping|crying|sulking|naughty|bad|good|dreaming|at it)|sulking|touchy|sensitive|"
        r"pouting|upset|jealous|scared|afraid|sleepy|hungry|proud|clever|getting a)",
        "nurse's we: means you",
    ),
    rule(
        "nurse tag",
        "other",
        r"^[^A-Z]{2,50},? are(?: not)? WE ?(?:today|now|this morning|tonight)?,?[^.A-Z]{0,12}[?!]",
        "nurse's tag question: means you",
        unless=r"\b(?:we|us|our|both|you|i)\b",
    ),
    rule(
        "give us",
        "other",
        r"\b(?:give|gis|lend|do|spare|show|buy|sing|tell) US (?:an?|one|another|your|some)\b ?(?:\w+ )?(?:kiss|hand|"
        r"hint|clue|break|sec|second|minute|"
        r"smile|song|tune|laugh|shout|go|look|chance|verse|twirl|joke|lyric|grin|favou?r|pint|wave|cuddle|hug|bar|"
        r"line)",
        "singular us: means me",
    ),
)
