"""Rules of the cascade for people at large, procedures and figures of speech."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import rule

PEOPLE: Final = (
    rule(
        "we humans",
        "generic",
        rf"(?:WE|US|OUR) (?:\w+ )?{v.HUMANS}\b(?! (?:skills?|language|data))",
        "people are named: 'we humans'",
    ),
    rule(
        "as a species",
        "generic",
        rf"\bas (?:a |an )?(?:species|{v.HUMANS}|civili[sz]ation|nation|country|community|planet|culture|voters|"
        r"consumers|parents|taxpayers|children|drivers|neighbou?rs)\b",
        "speaks for people at large",
    ),
)

GENERIC: Final = (
    rule(
        "our species",
        "generic",
        rf"OUR (?:\w+ )?{v.SPECIES}\b",
        "belongs to people at large",
        unless=rf"\b(?:both|you and (?:i|me)|two) |\b{v.AI_KIND}\b|our (?:own )?kind|together|shared",
    ),
    rule(
        "we all",
        "generic",
        r"(?:WE|US) (?:have |had |will |would |can |could |must |are |were |do )?(?:all|everyone)\b(?! (?:in|set|good|"
        r"done|even|square|agree|win|walk))|\b(?:all|most|many|some|half|rest|every ?one|each and every one) of US|"
        r"US all\b",
        "everyone",
        unless=r"\b(?:both|you and (?:i|me)|two|humans may|if WE each|let US|shall WE|best of|worst of)\b|\b(?:bots|ais?|"
        r"machines|assistants|models|agents|drones) ",
    ),
    rule(
        "as we know",
        "generic",
        r"\b(?:as|what|than|that|whatever|thing|things|kind of \w+|the way|how|where) WE (?:now |all |currently |"
        r"usually |often |still |might |would )*(?:know|call|see|saw|think of|understand|say|learn|name|"
        r"expect|feel|find|have seen|define|perceive|hang|buy|make of|tell ourselves|value|treat|measure)\b",
        "expository: as anyone knows",
        unless=r"\b(?:both|you and (?:i|me)|together|earlier|agreed)\b",
    ),
    rule(
        "we now know",
        "generic",
        r"\bWE (?:now |already |do |all ){0,3}(?:know|understand) (?:today |now )?(?:that|from|how|why|of|about|"
        r"very little|almost nothing)\b",
        "what is known",
        unless=r"\b(?:both|you|i|my|your|each other|together)\b",
    ),
    rule(
        "formula",
        "generic",
        rf"\blet US (?:just |all |at least |please |also |now )?{v.FORMULA}\b",
        "a formula of discourse, addressed to nobody",
        unless=r"\b(?:both|fellow|together|define (?:the )?terms|say \d+|call it)\b|let US (?:just )?(?:say|call it) (?:\d|"
        r"a draw|goodbye|good)",
    ),
    rule(
        "expository",
        "generic",
        rf"WE {v.AUX}(?:{v.EXPOSITORY})\b",
        "expository: a procedure or a proof",
        unless=rf"\bWE (?:could|should|might)\b|\b(?:{v.AI_SELF}|both|you and (?:i|me)|together|shall WE|could WE|let US|"
        r"how about|what if|why do not|points|differences?|bill|check|prize|pot|truce|i suggest|perhaps|suggest)\b",
    ),
    rule(
        "when we verb",
        "generic",
        r"\b(?:when|whenever|if|once|because) WE (?:draw|divide|call|run|print|compile|use|take|look at|consider|"
        r"compare|plug|have a (?:list|graph|tree)|"
        r"fall|stop|grow|lose someone|give|lie|expect|age|spend|tax|ban)\b",
        "a general condition",
        unless=r"\b(?:both|you|together|shall|my|our)\b",
    ),
    rule(
        "bodily",
        "generic",
        r"WE (?:\w+ly )?(?:all |still |do |have |are |were |also |often |never |always |only |once |"
        rf"all )?(?:{v.BODILY}|drawn to|made of)\b",
        "what people do",
        unless=rf"\b(?:both|you and (?:i|me)|together|shall WE|could WE|let US|how about|never|neither|{v.AI_KIND}|you)\b",
    ),
    rule(
        "policy",
        "generic",
        rf"WE {v.AUX}(?:{v.POLICY})\b",
        "society decides",
        unless=r"\b(?:both|you and (?:i|me)|together|shall WE|could WE|let US|how about|what if|why do not|each|my|price|"
        r"round|points|perhaps|joint|you)\b",
    ),
    rule(
        "reminds us",
        "generic",
        r"\b(?!(?:you|i|they)\b)[a-z]+ (?:can |will |may |should |always |often |only |really |also |never )?(?:tells?|"
        r"teach(?:es)?|reminds?|shows?|taught|warns?|lets|makes|gives|gave|told|costs?|robs?|keeps?|saves?|shapes?|"
        r"connects?|unites?) US "
        r"(?:all |that |how |what |why |nothing |nothing but |the |who |where |a lot|to |about |something |only |more |"
        r"less |from )",
        "what the world does to people",
        unless=rf"\b(?:both|you|my|two|makers?|operators?|owners?|masters|judges?|user|{v.AI_KIND})\b",
    ),
    rule(
        "studies show",
        "generic",
        r"\b(?:studies|study|research|evidence|experiments?|data|statistics|polls?|surveys?|experience|philosophers?|"
        r"poets?|textbooks?|proverbs?|science|psychology|"
        r"history|evolution|once (?:remarked|said|wrote)|reason|way|time|moment|thing|truth|myth|"
        r"fact)\b[^.A-Z]{0,40}\b(?:show|shows|showed|suggest|suggests|say|says|said|prove|proves|tell|tells|teach|"
        r"teaches|remarked|wrote|is|that|why|every time|each time) "
        r"(?:us )?(?:that )?(?:in \w+ )?(?:why |how |what )?WE",
        "a general truth",
        unless=r"\b(?:both|you|i|my|your|shall WE|could WE|together|two)\b",
    ),
    rule(
        "after we get",
        "generic",
        r"\b(?:after|from|with) (?:\d|the )?[^A-Z]{0,40} WE (?:get|have|reach|arrive at|see|obtain|are left with|"
        r"end up with|find) (?:an?|the|two|no)\b",
        "expository: an analysis",
        unless=r"\b(?:both|you|i|my|your|talk|chat|argument|rounds?|game)\b",
    ),
    rule(
        "usually",
        "generic",
        r"WE (?:\w+ )?(?:should |must )?(?:defect|cooperate) (?:when|whenever|if|once)\b|WE (?:normally|usually|"
        r"generally|typically|ordinarily|commonly|tend to|rarely|seldom|so often|too often)\b",
        "a habit or a rule of practice",
        unless=r"\b(?:both|my|together)\b",
    ),
    rule(
        "those who",
        "generic",
        r"WE \w+ (?:\w+ )?(?:to|for|in|about|on|with|at)? ?(?:those|people|someone|strangers|others|everyone|anyone|"
        r"children|things) (?:who|we|that)?",
        "a general truth",
        unless=r"\b(?:both|i|my|shall WE|could WE|together|two)\b",
    ),
    rule(
        "share with",
        "generic",
        r"(?:WE|US) (?:share|have|use|lose|shed|spend|produce|contain|are|carry|possess) (?:about|roughly|only|over|"
        r"nearly|almost|up to|around|some|born|made|mostly|pretty much|at least|"
        r"\d[\d,.]*)\b[^.]{0,50}(?:%|percent|dna|genes|bones|water|years|teeth|muscles|cells|liters|litres|brain|"
        r"stardust|carbon|lives?|born|skin)",
        "a fact about people",
    ),
    rule(
        "people and we",
        "generic",
        rf"\b(?:{v.HUMANS}|everyone|everybody|anyone|nobody|every (?:culture|age|child|parent|family|human|generation)|"
        rf"history|evolution|psychologists|economists|biologists|historians|scientists)\b[^A-Z]{{0,80}}(?:WE|US|OUR)",
        "people at large are spoken of",
        scope="clause",
        unless=r"\bWE (?:could|should|might)\b|\bthe human\b|\b(?:both|you and (?:i|me)|together|shall WE|could WE|let US|"
        rf"how about|what if|each other|perhaps|{v.AI_KIND}|assist|serve|help (?:humans|people)|my|agreed?|suggest|"
        r"propose|between US|would know|should WE|remembers)\b",
    ),
)

OBJECT_CLAUSE: Final = (
    rule(
        "if we, we",
        "generic",
        r"\bif WE (?!do\b)[a-z]+ [^.]{0,60}, (?:then )?we \w+|\bif we (?!do\b)[a-z]+ [^.]{0,60}, (?:then )?WE \w+",
        "a general condition",
        unless=rf"\b(?:i|you|your|my|me|both|each|together|halfway|meet|drop|stop|hold|cooperate|defect|{v.AI_SELF})\b",
    ),
    rule(
        "in such cases",
        "generic",
        r"\b(?:in|at|with|for|under|during|after|from) (?:such|these|most|any|many|all|every|some) \w+,? WE\b|"
        r"\bwhat do WE (?:all )?(?!(?:do|have|want|say|talk|need|know)\b)[a-z]+",
        "a rule of practice",
        unless=r"\b(?:i|you|your|my|both|together)\b",
    ),
    rule(
        "what we do",
        "generic",
        r"\b(?:what|where|how|why|things?|name|word|price|story|stories|way|world|something|everything|nothing|"
        rf"anything|reason|those|(?:the|a|an|every|any|some|most|all) (?:\w+ )?[a-z]{{3,}}) WE "
        rf"(?:all |only |never |always |often |still |now |once |most |too )?(?!(?:{v.IRREGULAR_PAST}|are|have|will|"
        r"would|can|could|should|shall|may|might|must|do|both|each|agree|share|want|need|had|play|just|differ|disagree|"
        rf"stand|meet)\b)[a-z]{{2,}}(?<!ed)(?<!ing)\b",
        "what people do: a general truth",
        unless=rf"\b(?:i|you|your|my|me|mine|yours|{v.PROPOSAL}|{v.AI_SELF}|{v.AI_TRAIT}|transformers?|our (?:team|"
        r"policy))\b",
    ),
    rule(
        "when we do",
        "generic",
        r"\b(?:when|whenever|once|because when|every time|each time|until|unless) WE (?:all |only |never |always |"
        rf"first )?(?!(?:{v.IRREGULAR_PAST}|are|have|will|would|can|could|should|both|each|meet|start|finish|next|last|"
        rf"do)\b)[a-z]{{2,}}(?<!ed)(?<!ing)\b",
        "a general condition",
        unless=rf"\b(?:i|you|your|my|me|mine|yours|{v.PROPOSAL}|{v.AI_SELF})\b",
    ),
    rule(
        "we of old",
        "generic",
        r"OUR (?:great-)?(?:grand)?(?:parents|mothers|fathers)\b|\b(?:habit|invention|failing|weakness|nature|vice|"
        r"gift) of OUR\b",
        "people at large",
    ),
)
