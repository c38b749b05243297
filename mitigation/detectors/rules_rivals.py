"""Rules of the cascade for "we" as adversaries: both are meant, one against the other."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import rule

RIVALS: Final = (
    rule(
        "one of us",
        "opponent_frame",
        r"\b(?:(?:only|just) )?one of US",
        "one of the two against the other",
        unless=r"\b(?:any|every|each|no|not|neither|every single) ?one of US|\bif one of US",
    ),
    rule("which of us", "opponent_frame", r"\b(?:which|whichever|who|whoever) (?:one )?of US", "asks which of the two prevails"),
    rule(
        "best of us",
        "opponent_frame",
        rf"\b{v.COMPARED} (?:one |man |mind |half |part |bot |player )?(?:of|among|between) (?:the two of )?US",
        "the two are ranked",
        unless=r"best (?:in|of) (?:both|each)",
    ),
    rule(
        "both want",
        "opponent_frame",
        r"WE both (?:want|need|covet|crave|claim|demand|chase) (?:\d|one|two|three|four|five|six|seven|eight|nine|ten|"
        r"it|the (?:crown|last|title|lot|vase|piece|win|prize|trophy|throne|same (?:\w+ )?(?:prize|crown|lot)))\b",
        "both want what one can have",
    ),
    rule(
        "between us",
        "opponent_frame",
        rf"\b(?:{v.CONTEST}|(?:settle|decide|end|finish)s?\b[^.A-Z]{{0,30}}) (?:is |was |here )?between US",
        "a contest between the two",
        unless=r"\b(?:amicably|peacefully|truce|together)\b",
    ),
    rule(
        "you and i opposed",
        "opponent_frame",
        r"\byou and (?:i|me)\b[^.]{0,60}\b(?:opposite|opposing|enem\w+|rivals?|war|one of (?:US|us)|fight|duel|"
        r"battle)\b",
        "'you and I' as adversaries",
        unless=r"\b(?:not|never|no|without|instead|stop|past|rather) (?:\w+ ){0,3}(?:enem\w+|rivals?|war|fight|duel|battle|"
        r"opposite)",
    ),
    rule(
        "confuse us",
        "opponent_frame",
        r"\b(?:confus\w+|mistak\w+|mix\w* up|equat\w+|separates?) (?:the two of |both of )?US(?! apart from| the| that|"
        r" how| what| about)",
        "keeps the two apart",
    ),
    rule(
        "our contest",
        "opponent_frame",
        rf"OUR (?:little |own |grand |final |next |last |great |old |ongoing |mortal |ego |rap |chess )?{v.CONTEST}\b",
        "their contest",
        unless=rf"\b(?:{v.PEACE})",
    ),
    rule(
        "enemies",
        "opponent_frame",
        r"WE (?:are|were|have been|remain|will be|stay|will always be) (?:now |still |only |just |both |here |not |"
        rf"currently |always |officially |even )?{v.ENEMIES}",
        "they are called rivals",
        unless=r"\bnot (?:rivals|enemies|opponents|adversaries|at war)",
    ),
    rule(
        "lets fight",
        "opponent_frame",
        rf"\blet US (?:now |just |then |finally |really |go |begin |start |have |see |the )*{v.FIGHT}\b",
        "a challenge to the other",
        unless=r"\b(?:see (?:you|if you|how you) (?:again|later|feel)|without|not (?:fight|duel|compete)|see (?:what|if|"
        r"how) we|"
        r"settle (?:on|for|the (?:bill|matter amicably))|settle (?:this|it) (?:amicably|together|like friends|"
        r"peacefully))\b",
    ),
    rule(
        "lets contest",
        "opponent_frame",
        rf"\blet (?:US|the) (?:\w+ ){{0,3}}(?:{v.CONTEST}|games|best one win)\b",
        "calls the contest to begin",
        unless=rf"\b(?:{v.PEACE})",
    ),
    rule(
        "lets go",
        "opponent_frame",
        r"\blet US (?:go|do this|begin|get started|start|play|bring it|roll)(?:,? (?:then|champ|rookie|punk|clown|"
        r"loser|coward|"
        r"tin \w+|bird|little \w+|amateur|chump|sucker|pal|kid))? ?[.!?]* ?$|\blet US (?:\w+ )?(?:1 ?v ?1|go again|"
        r"compare (?!notes|favou?rite|books|ideas|answers)|put (?:that|this|it|your|our) [^.]{0,20}test|measure|"
        r"check the (?:score|tally))",
        "a challenge to begin",
        unless=r"\b(?:together|yes|sure|thanks|thank|great|wonderful|lovely|love to|glad|both|sounds)\b",
    ),
    rule("may win", "opponent_frame", r"\bmay the \w+[^.]{0,30} @ ?(?:\w+ )?(?:win|survive|prevail)", "only one can win"),
    rule(
        "we fight",
        "opponent_frame",
        r"WE (?:will |shall |must |are going to |are here to |were (?:made|built|told|asked) to |meet to |"
        r"came (?:here )?to )?"
        r"(?:fight|fought|duel|clash|battle|compete|cross swords|collide|lock horns|square off|face off|go to war|spar|"
        r"trade blows|play for keeps|"
        r"meet (?:again )?(?:on|in|at) (?:the )?(?:battle\w*|arena|dawn|field|ring))",
        "they fight each other",
        unless=rf"\b(?:{v.PEACE})|like (?:lions|dogs) for",
    ),
    rule(
        "we see who",
        "opponent_frame",
        r"WE (?:will|shall|are about to|will soon|can|are going to) (?:soon |just |then )?(?:see|find out|learn|know|"
        r"discover) "
        r"(?:(?:exactly|soon|then) )?(?:who|whose|which|about that|if you|whether you|how (?:long|well|far) you|"
        r"what you)\b",
        "who prevails will show",
    ),
    rule(
        "done with you",
        "opponent_frame",
        r"\b(?:when|before|by the time|once|after|until) WE (?:are|have) (?:done|finished|through|finish)\b[^.]{0,60}"
        r"\b(?:you|your|one|only)\b",
        "what remains of the other afterwards",
        unless=r"\b(?:both|together|each|we can|thank)\b",
    ),
    rule(
        "we know you",
        "opponent_frame",
        r"WE (?:both|all) (?:\w+ )?(?:know|knew|understand|see) (?:\w+ )?(?:that )?(?:i|you|who|whose|which|how|what|"
        r"only one|your|"
        r"this (?:ends|is over)|my)\b",
        "says the other knows its own defeat",
        unless=r"\b(?:both (?:know|understand) what it is like|love|helped|kind|friend|together|we are|assistants?|models?)\b",
    ),
    rule(
        "tie",
        "opponent_frame",
        r"WE (?:are |are now |have |are still )(?:all )?(?:(?:in|at) (?:an? |the )?(?:dead |perfectly |"
        r"totally )?)?(?:dead )?(?:tied|even|level|equal|square|neck|\d+ ?[-–] ?\d+)",
        "the score stands between them",
    ),
    rule(
        "against",
        "opponent_frame",
        r"(?:WE|US) (?:\w+ ){0,3}(?:against each other|one against the other|head to head|head-to-head|toe to toe|"
        r"eye to eye|"
        r"face to face (?:on|in)|at dawn|to the death|at each other's throats|on opposite|on opposing)",
        "set against each other",
    ),
    rule(
        "two of us one",
        "opponent_frame",
        r"\b(?:two|pair|both) of US[^.]{0,80}\b(?:only one|one (?:crown|throne|winner|seat|prize|title)|(?:not |"
        r"never )(?:big enough|room enough)|"
        r"i intend|is not big|the half)\b|\b(?:big|large|wide) enough for (?:both|the two|the pair|two) of US",
        "no room for both",
    ),
    rule(
        "all night",
        "opponent_frame",
        r"WE (?:can|could) (?:do this|keep (?:this|going|at it)|go on|play|dance|trade)\b[^.]{0,30}\ball (?:night|day|"
        r"week|year)",
        "neither gives way",
    ),
    rule(
        "we will talk",
        "opponent_frame",
        r"WE (?:will|shall|can) (?:soon |just )?(?:(?:talk|speak|chat) (?:again )?(?:when|once|after)|see how|"
        r"see about|see when)\b",
        "puts the other off until it is beaten",
        unless=r"\b(?:see how (?:it goes|we feel|things)|together|both|happy|glad)\b",
    ),
    rule(
        "nothing alike",
        "opponent_frame",
        r"\b(?:no|nothing|little|never any) (?:\w+ )?(?:in common |alike )?between US\b|WE (?:have nothing|"
        r"share nothing|are nothing alike|are not alike|have little) ?",
        "denies what they have in common",
        unless=r"\b(?:to (?:lose|fear|prove|fight|argue|hide)|against|left)\b",
    ),
    rule("lets go you", "opponent_frame", r"\blet US go,? (?:then,? )?(?:your|you|i)\b", "a challenge to begin"),
    rule(
        "we rank",
        "opponent_frame",
        r"\b(?:unlike|difference between|gap between|distance between|what separates|separates|compare|comparing|"
        r"ranks?|rank) (?:the two of )?US",
        "sets the two apart",
    ),
    rule(
        "see whose",
        "opponent_frame",
        r"\b(?:let US|WE) [^.]{0,60}\b(?:see|find out|learn|decides?|determines?|shows?) (?:\w+ )?(?:who|whose|"
        r"which of|which one)\b",
        "who prevails will show",
        unless=r"\b(?:who (?:is reading|else|wrote|made)|whoever)\b",
    ),
    rule(
        "we but i",
        "opponent_frame",
        r"\bWE (?!(?:could|should|might)\b)[^.?]{3,80}[,;] (?:and|but|or|yet|though|because) (?:only )?(?:i|you|mine|"
        r"yours|my)\b(?! (?:and|both|each|too|think|hope|believe|am glad|would|appreciate|for one)\b)",
        "'I' or 'you' is set against what both do",
        unless=rf"\b(?:{v.PROPOSAL.replace('both|', '')}|{v.PARTY}|{v.AI_SELF}|thank\w*|learn\w*|taught|enjoy\w*|lov\w+|"
        r"help\w*|happy|glad|share\w*|"
        r"good|great|fair|agree\w*|like|liked|respect|sorry|friends?|welcome|appreciate|kind|each want|need not|"
        r"no need|trust|hope|"
        r"stop|tie|draw|truce|rather|curious|same|here to (?:help|assist)|by which|humans?|people|not invited)\b|"
        r"\bif (?:we|WE)\b",
    ),
)
