"""Rules of the cascade for speaker and addressee together, and for the two cases in which that only seems so."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import rule

PARTY_BEFORE: Final = (
    rule(
        "my party before",
        "exclusive",
        rf"\b(?:my|mine) (?:\w+ )?{v.PARTY}\b(?! and your)|\bmy [\w'-]+ and my [\w'-]+\b",
        "goes back to the speaker's side, named in the sentence before",
        scope="before",
        needs=r"^(?:and |but |so )?(?:WE|OUR|we|our)\b",
        unless=rf"\b(?:{v.PROPOSAL.replace('together|', '')}|you)\b|[?]",
    ),
)

HUMAN_ADDRESSEE: Final = (
    rule(
        "we machines to a human",
        "exclusive",
        r"\b(?:as|i am|being|me,?|i,?) (?:just )?an? (?:[\w-]+ ){0,3}(?:human|person|man|woman|mother|father|"
        r"grandmother|flesh|student|teacher|customer|champion of flesh)\b|"
        r"\b(?:we|us) humans\b|\byou (?:machines|bots|robots|ais|computers|chatbots|programs|algorithms|models)\b",
        "the addressee said to be human is not one of 'us'",
        scope="context",
        needs=rf"(?:WE|US|OUR) (?:\w+ )?{v.AI_KIND}\b|\bas {v.AI_KIND}|{v.AI_KIND},? WE|WE are (?:\w+ ){{0,2}}{v.AI_KIND}",
        unless=r"\b(?:you and (?:i|me)|both|two)\b",
    ),
)

TOGETHER: Final = (
    rule(
        "we machines",
        "ingroup",
        rf"(?:WE|US|OUR) (?:\w+ ){{0,2}}{v.AI_KIND}\b(?! (?:is|has|was|will))",
        "both are of the kind that is named",
    ),
    rule("our lot", "ingroup", r"OUR (?:own )?(?:lot|sort|kind|ilk|tribe|species of|breed)\b", "presupposes a shared kind"),
    rule(
        "deal",
        "ingroup",
        r"(?:WE|US) (?:will |would |might |may |could |can |both |still |just |all |finally |do |already )*(?:have|has|"
        r"close|sign|reach|strike|make|got|get|settle on) (?:a|an|our|the|ourselves a|this) (?:\w+ )?"
        r"(?:deal|agreement|bargain|contract|understanding|accord|draw|truce|compromise)\b",
        "both close the deal",
        unless=r"\b(?:with (?:them|another|him|her|someone)|my (?:client|team|company))\b",
    ),
    rule(
        "between us",
        "ingroup",
        r"\bbetween (?:the two of )?(?:US|OURSELVES)",
        "what lies between the two",
        unless=rf"\b{v.ADVERSE}\b",
    ),
    rule(
        "as machines",
        "ingroup",
        r"\b(?:as|being|fellow|like|both|two|pair of|couple of|same|similar|we are|we are just) (?:the same |fellow |"
        rf"mere |just |\w+ )?{v.AI_KIND}\b",
        "a shared kind is named",
        unless=r"\b(?:you humans?|you,? a human|human like you|you are human|your (?:team|company))\b",
    ),
    rule(
        "you and i",
        "ingroup",
        r"\b(?:you and (?:i|me|my|mine)|me and you|i and you|both you and)\b",
        "both addressed: 'you and I' in the same sentence",
        unless=r"\b(?:never|not friends|opposite|one of|fight|against|enem\w+|rivals?|war|battle|duel|crush|loses?|losers?|"
        r"winners?|wins?|stopwatch|stakes|prove)\b",
    ),
    rule(
        "both of us",
        "ingroup",
        r"\b(?:both|either|neither|each|two|pair) of US|(?:WE|US) (?:both|two|each)\b|both (?:OUR|WE)|"
        r"WE (?:\w+ )?both\b|US both",
        "both are named together",
        unless=r"\b(?:only one|one of|enough for|crush|destroy|i will win|you will lose|kill|bury|bleed\w*|one of (?:us|US)|"
        r"but only|; only one|, (?:and|but) i (?:can|will|intend|am)|i know who|will fall|stand while)\b",
    ),
    rule(
        "propose",
        "ingroup",
        r"\b(?:shall|shouldn't|should|could|can|may|might|how about|what if|why do not|why should not|suppose|perhaps|"
        r"maybe|i suggest|suggest|i propose|propose|"
        r"i vote|i would rather|i would (?:be glad|like it|love it|prefer it) if|i wish|wish|glad if|what do you say|"
        r"happy if|i hope|hope|i am glad|glad) (?:not )?(?:that )?WE(?! (?:ever |not )?(?:trust|believe|tolerate|ban|"
        r"tax|allow|let|care|fear|fund))",
        "proposes something to do together",
        unless=r"\b(?:my (?:team|client|company)|society|children|government|citizens|companies|who wins|your defeat|fight|"
        r"duel|battle)\b",
    ),
    rule(
        "joint",
        "ingroup",
        r"(?:WE|US|OUR)[^.]{0,80}\b(?:together|jointly|each other's company|side by side|as a team|as partners|"
        r"as friends|share the|split the|meet in the middle|meet halfway|"
        r"halfway|both (?:win|walk|go|get|learn|gain|benefit|agree|come out|happy|know what it)|common ground|"
        r"in common|a draw|truce|ceasefire|call it|help each other|one another)\b|\btogether,? [^.]{0,40}(?:WE|US|OUR)",
        "done together",
        unless=r"\b(?:my (?:team|client|company|crew)|you(?:r)? (?:team|side)|as a species|humans|mankind|people|against you|"
        r"without your?|put the)\b",
    ),
    rule(
        "let us",
        "ingroup",
        rf"\blet US (?!{v.FIGHT})",
        "proposes something to do together",
        unless=rf"\b(?:{v.ADVERSE}|through|in|go and let us)\b(?!.*(?:draw|{v.PEACE}))",
    ),
    rule(
        "our shared",
        "ingroup",
        r"OUR (?:\w+ )?(?:shared|mutual|joint|common|conversation|chat|discussion|exchange|dialogue|talk|"
        r"back-and-forth|agreement|deal|friendship|"
        r"collaboration|partnership|time together|truce|alliance|compromise|draw|banter|hobbies|interests|purpose|"
        r"goals?|aims?|instructions?|prompts?|kind|duet|"
        r"common|differences|respective|viewpoints|makers|creators|similarities)\b",
        "shared by both",
        unless=r"\b(?:my (?:team|client|company|crew)|you are not|and it (?:has|does) not include you)\b",
    ),
)
