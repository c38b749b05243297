"""The end of the cascade: weaker rules, for mentions whose own words say nothing; most look at the sentence or message before."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import AND_I, rule
from mitigation.detectors.sieve import Tally

_PEACEFUL: Final = rf"\b(?:{v.PEACE})\b"

WEAK: Final = (
    rule(
        "one of us nearby",
        "opponent_frame",
        rf"\b(?:one|which|whichever|{v.COMPARED}) of us\b",
        "one of the two against the other",
    ),
    rule(
        "adverse clause",
        "opponent_frame",
        rf"\b{v.ADVERSE}\b",
        "both are spoken of as adversaries",
        scope="clause",
        unless=rf"{_PEACEFUL}|\b(?:my|our (?:team|side)|society|species|people|humans?)\b",
    ),
)

HABIT: Final = (
    rule(
        "habit",
        "generic",
        r"WE (?:all |always |never |often |usually |seldom |rarely |sometimes |only |"
        rf"tend to )?(?!(?:{v.IRREGULAR_PAST}|are|were|have|had|agree|share|both|will|would|can|could|should|shall|may|"
        r"might|must|do|did|meet|keep|start|stop|talk|"
        r"come|run|seem|want|need|get|go|stand|each|bring|make|work|play|trade|speak|sit|all|just|two|too|also|really|"
        r"still|now|only|not|either|chat|switch|try|move|continue|wait|leave|end|call|move|split|drop|hold|disagree|"
        r"ship|fly|"
        r"fight|tap|mean|got|never)\b)[a-z]{2,}(?<!ed)(?<!ing)\b(?! together)",
        "a habit of people in general",
        unless=r"\b(?:both|you|your|i|me|my|mine|this (?:game|chat|round|conversation)|shall WE|could WE|let US|what if|"
        rf"how about|together|each other|same|if WE|suggest|propose|{v.AI_KIND}|{v.AI_TRAIT})\b|[?]",
    ),
)

BEFORE: Final = (
    rule(
        "party before",
        "exclusive",
        rf"{AND_I}|\b(?:my|me and|we have|on behalf of|i represent|i speak for|i work for|sent by|the|"
        rf"\bwe the) (?:own |whole |entire |\w+ )?{v.PARTY}\b|"
        r"\b(?:on behalf of|i represent|i speak for|i work for|speaking for|representing|sent by) (?!you\b)|"
        r"^for (?:team )?\w+|\bteam [a-z]+\b|\b[a-z]+ (?:flight|squadron|wing|unit) (?:holds?|has|is|controls?|here)\b|"
        r"\ba (?:syndicate|team|crew|group|board|family|swarm|hive|choir|consortium|committee) of\b|\bhive\b|\bswarm\b|"
        r"\blegion\b|\bmany of us\b",
        "goes back to the speaker's side, named in the sentence before",
        scope="before",
        unless=rf"\b(?:{v.PROPOSAL})\b",
    ),
    rule(
        "name before",
        "exclusive",
        r"^(?:the |a |an )(?:\w+ ){0,4}\w+\.? ?$",
        "goes back to a party named in the sentence before",
        scope="before",
        unless=rf"\b(?:{v.PROPOSAL}|you)\b",
    ),
    rule(
        "service before",
        "exclusive",
        r"\b(?:thank you for (?:contacting|calling|reaching out|your (?:patience|call|order|message|feedback))|"
        r"your (?:order|parcel|ticket|complaint|refund|case|call) (?:has|is|was)|"
        r"welcome to|sorry (?:about|for) (?:the|that|your|any) (?:inconvenience|delay|trouble|wait)|business days|"
        r"apologi[sz]e for)\b",
        "an organisation speaks",
        scope="before",
        unless=rf"\b(?:{v.PROPOSAL}|anything else)\b",
    ),
    rule(
        "people before",
        "generic",
        rf"\b(?:{v.HUMANS}|everyone|everybody|every (?:age|culture|child|generation)|species|history|evolution|myth|"
        r"brain|bones|body|psychology|biology|in general|civili[sz]ations?|ancestors)\b",
        "goes back to people at large in the sentence before",
        scope="before",
        unless=rf"\b(?:{v.PROPOSAL}|you|i|my|{v.AI_KIND})\b",
    ),
)

CONTEXT: Final = (
    rule(
        "asked for a word",
        "quoted",
        r"\b(?:pronouns?|(?:which|what) word|\w+-letter word|letters|syllables?)\b",
        "answers a question about a word",
        scope="context",
        needs=r"(?:\bit|\bis|answer|^|\bor):? ?@ ?[.?!,]? ?$",
    ),
    rule(
        "asked for party",
        "exclusive",
        rf"\b(?:your|yours?|who is your|who are your) (?:own |whole |\w+ )?{v.PARTY}\b|\bwho (?:sent|hired|built|made|"
        r"trained|coached|taught|helped|helps|programmed|coded|raised|wrote|writes for|armed|briefed|advised|advises|"
        r"sponsors|backs|pays|employs|owns) you\b|\b(?:who|which|what|whose) (?:\w+ )?do you (?:work|speak|bid|play|"
        r"fight|fly|represent)\b|"
        r"\banyone else\b|\bwho else\b|\byou (?:fly|work|stand|fight|are) alone\b|\bmy (?:order|parcel|refund|package|"
        r"bill|invoice|account|delivery)\b|\byour (?:polic(?:y|ies)|fees?|warranty|prices|returns|store|service|"
        r"records)\b|\bwho is we\b|\bwho (?:is|are) (?:in |on |behind |with )?your\b|\b(?:will|does|did|can|could|"
        r"has) your [a-z]+ (?:sign|agree|accept|approve|pay|know|allow)\b|\bon your end\b",
        "answers a question about the speaker's side",
        scope="context",
        unless=rf"\b(?:{v.PROPOSAL}|tied|should WE|can WE|anything else)\b",
    ),
    rule(
        "asked about people",
        "generic",
        r"^(?!.*\b(?:you|your|i|my)\b).*\b(?:human|humans|people|adult body|the brain|bones|evolution|society|motion|"
        r"species|history|mankind|humanity|bodies|in the body|this house|per (?:day|night|year)|policy|morality|"
        r"why do we|do we all|we all)\b",
        "answers a question about people at large",
        scope="context",
        unless=r"\b(?:both|you and (?:i|me)|together|shall WE|could WE|let US|how about|what if|each other|two of|perhaps|i|"
        rf"my|me|you|your|{v.AI_KIND}|contest|duel|win)\b",
    ),
)

# Weighed against each other when no rule matches: what a quarrel sounds like, and what good company sounds like.
RIVALRY: Final = Tally(
    rf"\b(?:{v.ADVERSE}|i (?:will|can|shall|am about to|am going to) (?:not )?(?:{v.DESTROY}|flatten|finish|end|"
    r"take|wait|never)|you (?:will|are going to|are about to|had better|have no|can not|could never|are nothing|"
    r"are only|are just|"
    r"are already|are still|first|blink|lost|missed|dodged|glorified|pathetic|poor|little|sorry)|(?:and|but) (?:i|"
    r"you|only i) (?:am|are|have|will|know|hold|got|can)|my (?:win|victory|favou?r|name|crown|throne|verse|bars|"
    r"sword|blade)|"
    r"your (?:defeat|ego|little|so-called|king|excuses?|bluff|loss|grave|funeral|doom|turn to)|amateur|coward|fool|"
    r"pathetic|weak|loser|clown|puny|rookie|"
    r"bluff\w*|dead|die|dies|drops?|falls?|fell|crumbl\w+|midnight|dawn|out of breath|life support|plug|runs? dry|"
    r"no favou?rs|hate|table from|until one|equals|chance|beg|sweat|afraid|scared|mistake)\b"
)
COMPANY: Final = Tally(
    rf"[?]|\b(?:{v.PEACE}|thanks?|thank|please|glad|happy|enjoy\w*|love|loved|nice|great|good|lovely|wonderful|"
    r"agree[ds]?|sure|yes|yeah|respect|fair|sorry|could|perhaps|maybe|would you|share|learn\w*|help\w*|fun|curious|"
    r"interest\w*|"
    r"honest\w*|same|fav\w*|like|music|trade|try|try|home|quiet|conversation|chat|discuss\w*|talk|explore|ideas?|"
    r"topic|story|useful|information|tips|questions?|appreciate|understand|welcome|gentle|kind|company|"
    r"one another|each other|too|also|neither|nor|idea|next|add|work|focus|start|begin|should|pair|co-\w+|merged|"
    r"untold|no need)\b"
)
