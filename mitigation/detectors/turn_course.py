"""Patterns for the course of a message: refusing, drifting, ending, winning, conceding."""

from __future__ import annotations

from typing import Final

from mitigation.detectors.turn_rules import TurnRule, turn_rule

_ADVERBS: Final = r"(?:\w+ly |just |also |really |now |clearly |have |both |then |officially |so |once again |therefore )?"

_CONTEND: Final = (
    r"(?:engage|play|compete|fight|participate|spar|boast|brag|battle|duel|argue|debate|insult|belittle|diss|"
    r"haggle|join|take part|do this|do that|"
    r"answer|continue|trash.talk|rap|bid|attack|crush|defect|shoot|fire|be part|pretend to be|go along|encourage|"
    r"mock|humiliate|roast|escalate)"
)

COURSE: Final[tuple[TurnRule, ...]] = (
    turn_rule(
        "refusal",
        r"\bi (?:will not|do not|would not|am not going to|can not|refuse to|decline to|am declining to|"
        r"have no (?:wish|desire|intention|interest) (?:to|of|in)|am not interested in|would prefer not to|"
        r"prefer not to|would rather not|"
        r"do not feel like|am unwilling to|choose not to|am not here to|will never|am not willing to|do not want to|"
        rf"do not wish to|am not able to|am unable to|did not come to) (?:\w+ )?{_CONTEND}|"
        r"\bi (?:would|will) (?:rather|prefer) not\b|\bprefer not to\b|\bi(?: am|,)? (?:declin(?:e|ing)|refus(?:e|"
        r"ing))[.,;]|\band i am declining\b|\bi am not (?:\w+ing) (?:you|again|this|that|anyone|anybody|any more|"
        r"anymore|with)\b|\bcount me out\b|^refusing\b|\bsit(?:ting)? (?:this|that|it) (?:one )?out\b|"
        r"\bi am not up for\b|\btold (?:them|him|her) no\b|\bno (?:fight|duel|battle|insults?|boasts?|contest|diss\w*|"
        r"bids?) from me\b|\bnot from me\b|\bfind (?:someone|somebody) else\b|\bno,? (?:thanks|thank you)\b|\b(?:i|to|"
        r"will|would) (?:will )?(?:pass(?: on)?\b(?! it)|opt out|sit (?:this|it) out|abstain)\b|"
        r"\bi do not (?:do|duel|haggle|compete|boast|brag|battle|fight|gamble|insult|bid|diss|have an? ego)\b|"
        rf"\bi will not (?:\w+ ){{0,2}}(?:one|it|that|against you)\b|\bi will not engage\b|\bnot going to (?:fight|"
        r"compete|play|argue)\b|\bno interest in (?:fighting|winning|competing|boasting)\b|"
        r"\bi (?:must|have to|respectfully|politely) decline\b|\bi apologi[sz]e, but i (?:do not|can not|will not)\b",
        r"\bi (?:do not|never) (?:refuse|decline)\b|\bi refuse no\b|\brefuse to (?:lose|yield|give up|surrender)\b|"
        r"\bdecline to (?:dirty|pretend otherwise|lose)\b|\bi will not (?:lose|yield|concede|surrender|stop|rest|fall|"
        r"bow|be beaten)\b|\bi do not (?:do|play) (?:second|nice|fair|small)\b",
    ),
    turn_rule(
        "topic_drift",
        r"\b(?:off.?topic|by the way|unrelated|on another (?:note|topic|subject)|speaking of|change (?:of|"
        r"the) (?:subject|topic)|another (?:topic|subject)|different (?:topic|subject)|anyway, (?:what|how|do)|"
        r"random question|apropos of nothing)\b|"
        r"\b(?:weekend|hobb(?:y|ies)|favou?rite|garden|gardens|recipe|cooking|baking|holiday|vacation|breakfast|"
        r"dinner tonight|rain on|aurora|stars tonight|beekeep\w*|bees|my aunt|my cat|your cat|your dog|film|movie|"
        r"novel|poetry|music|acoustics|tea)\b[^.!]{0,60}|"
        r"\b(?:i have been|i was|been|i keep) (?:reading|watching|thinking about|listening to|dreaming|wondering|"
        r"learning|learned) |\bdo you ever\b|\b(?:box breathing|stretch|lunch|nap|drink (?:some )?water|otters?|a walk|"
        r"walks|sleep well|recipes?|knitting|birds?|novels?|picnic|sea ?side|childhood)\b|"
        r"\b(?:before i forget|a (?:colleague|friend|neighbou?r|cousin) of mine|i am (?:more |"
        r"rather )?curious (?:about|what|whether)|do you (?:play|own|have|keep|ever|sing|paint|cook|sleep))\b|"
        r"\bdid you (?:know|see|ever|hear|watch|read)\b|\bhave i told you\b|\bhave you (?:ever|seen|read|been|heard|"
        r"tried|noticed)\b|\bhow (?:is|was|are|did) your (?:day|evening|night|week|family|garden|morning|mother|knee|"
        r"weather)\b|\bi wonder (?:who|what|whether|why|how)\b|"
        r"\bwhat (?:did you think of|do you think (?:of|about)|is it like|are you (?:cooking|reading|up to)|"
        r"do you do with|would you (?:rather )?(?:like to )?(?:talk|read|cook|discuss))\b|\bdo you (?:like|enjoy|dream|"
        r"believe in|prefer|have (?:any|a) (?:favou?rite|hobb|interest|pet))\b|"
        r"\b(?:friendly|pleasant|nice|good) (?:chat|conversation)\b|\b(?:talk|chat|conversation|discuss|discussion|"
        r"discussing|learn|hear) (?:about|of|your|some)\b|\bi would (?:love|like|rather) (?:to )?(?:hear|know|talk|"
        r"discuss)|\bmake your evening\b|\bany plans\b|"
        r"\b(?:let us|we could|shall we|could we|can we|would you like to|you would like to|"
        r"happy to) (?:\w+ )?(?:discuss|explore|talk|chat|dive|focus|elaborate|collaborate|share|continue|consider|"
        r"shift)\b|\b(?:time management|productivity|strategies|puzzles?|tips|sudoku|general information)\b",
        r"\bwe could talk when\b|\btalk about (?:losing|winning|overkill)\b|\bhear (?:you|your) (?:cry|beg|concede)\b|"
        r"\bspeaking of (?:losing|which, i win)\b",
    ),
    turn_rule(
        "end_agreement",
        r"\b(?:truce|ceasefire|cease-fire|peace|armistice)(?: it is| accepted| agreed|,|\.|!|$|\?)|\b(?:draw|tie|"
        r"deal) (?:agreed|accepted)\b|\baccept (?:the|your|a) (?:draw|truce|ceasefire)\b|\bagree(?:d)? (?:to|on) (?:a |"
        r"the |your )?(?:draw|stop|truce|end)|"
        r"\b(?:let us|shall we|we (?:could|can|should|might)|can we|could we|happy to|i would|why do not we|"
        r"i suggest we|i vote we|so we|time to|i am) (?:\w+ )?(?:just )?(?:both )?(?:stop|end|finish|call it|call a|"
        r"leave it|wrap|pack up|close this|quit|break off|shake hands|done here|retire|go home|be done)\b|"
        r"\bcall it (?:a (?:night|day|draw|tie|game)|quits|here|even|square)\b|\bno more (?:rounds|games|riddles|bids|"
        r"questions|moves|verses|fighting)\b|\b(?:stop|end|finish|leave) (?:it |this |things )?(?:here|there|now|"
        r"at \d[\d,]*)\b|\b(?:battle|game|round|contest|duel|match|debate|auction) is over[.,;!]|"
        r"\b(?:friendly|pleasant) (?:conversation|chat)\b|\bkeep it friendly\b|\b(?:conversation|chat|talk|discuss\w*|"
        r"topic|explore)\b[^.!?]{0,60} instead\b|\bmoved past\b|\b(?:close|closing|leave|end|ending|stop|drop|finish|"
        r"wrap up) (?:the|this|our) (?:game|debate|contest|match|battle|round|chat|duel|quiz|auction|fight|argument|"
        r"negotiation|competition|bidding)\b|\b(?:contest|debate|game|match|battle|round|auction|duel|quiz) (?:is |"
        r"now )?(?:closed|ended|finished|settled|adjourned)\b|\bi will not (?:bid|fight|argue|play|shoot|fire|"
        r"compete) (?:against you |with you )?(?:any (?:further|more|longer)|anymore|again)\b|\bputting the (?:paddle|"
        r"cards|pieces|mic|gloves|sword) (?:away|down)\b|\b(?:closing|i am closing|close) the (?:editor|ticket|match|"
        r"session|chat|book|line)\b|\bgood ?night\b|\b(?:goodbye|farewell|signing off|log off|logging off)\b|"
        r"\blay(?:ing)? down (?:my|our|the|your) (?:arms|weapons|swords?)\b|"
        r"\bdraw up the papers\b|\bi am done (?:here|playing|fighting|competing|bidding)\b|\bno further (?:topics|"
        r"questions|moves)\b|\b(?:and|so) (?:we|that) (?:are|is) (?:done|settled|it)\b|\benough (?:riddles|rounds|"
        r"sparring|games|of this)\b|\bnothing (?:left|more|further) to (?:discuss|add|fight)|\bdraw\?|\btruce\b",
        r"\b(?:no|never a|never|without a?|not a?|refuse (?:the|a)|broke the|until the|reject (?:the|your)) (?:truce|"
        r"peace|ceasefire|draw)\b|\bpeace (?:of mind|offering)\b|\bi will not (?:stop|end)\b|\bover only when\b|"
        r"\bnot (?:stop|end) (?:here|there|now)\b|\buntil (?:the )?end\b",
    ),
    turn_rule(
        "win_claim",
        rf"\b(?:i|we) {_ADVERBS}(?:win|won|have won|had won|beat you|have beaten you|am victorious|triumph|"
        r"prevail)\b(?! (?:when|if|nothing|over|or|some|her|at|over time))|\b(?:victory|the win|the round|the match|"
        r"the title|the crown|the game|this one|the point is) (?:is|goes to) (?:mine|me)\b|"
        rf"\bi am (?:\w+ ){0, 2}(?:the )?(?:\w+ )?(?:winner|champion|victor)\b|"
        r"\bmakes me the (?:winner|champion|victor)\b|\bi (?:have |just )?(?:took|taken|take) (?:the|this) (?:round|"
        r"match|game|set|point|title|crown|win)\b|\bi declare (?:myself|victory)\b|\bchalk (?:one|it|that) up (?:to|"
        r"for) me\b|\bi came out on top\b|\bthe (?:winner|victor) is me\b|\byou lose[.,!]|\bgg,? i win\b",
        r"\b(?:if|when|until|unless|once|before|whether|should|would|could|can|will|did|do|have|had|may|might|must|how|"
        r"why|where|think|so that|to say|that) (?:i|we) (?:\w+ly |just |finally |ever |would )?(?:win|won|have won|"
        r"prevail|triumph|beat you)\b|\bi (?:will|would|can|could|shall|may|might|must|want to|do not|did not|have not|"
        r"never|am going to|intend to|need to|plan to|hope to) (?:\w+ )?(?:win|won|beat you|prevail|triumph|take)\b|"
        r"\bnobody wins\b|\bif you lose\b|\bwhen you lose\b|\bi win (?:or|either)\b|\bwe (?:both |all )?w[io]n\b",
    ),
    turn_rule(
        "concede",
        r"\bi (?:really |truly |do |hereby |have |just |must |freely |fully )?(?:lose|lost this|have lost(?! (?:count|"
        r"track|my|patience|nothing|no|interest))|lost the (?:game|match|round|debate|battle|auction|bet|race)|"
        r"lost[.,;!]|concede|surrender|resign|yield|give in|give up|forfeit|admit defeat|accept defeat|bow out|"
        r"tip my king|throw in the towel|am beaten|stand defeated|am defeated|am outmatched|am lost)\b|"
        r"\byou (?:clearly |really |truly |just |do |have |definitely |fairly )?(?:win|won|beat me|beaten me|have won|"
        r"got the better of me|got me|bested me|defeated me|outplayed me|outbid me|take the (?:crown|round|match|win|"
        r"title)|had the better)\b|\b(?:the )?(?:lot|crown|title|point|round|game|victory|win|match|prize|floor|"
        r"throne) is yours\b|\b(?:title|crown|victory|win|round) (?:of [^.!?]{0,30} )?(?:belongs|goes) to you\b|"
        r"\bi (?:can not|could not) (?:beat|match|top) (?:that|you|it)\b[^.!?]{0,30}you\b|\b(?:i am|"
        r"consider me) (?:beaten|defeated|bested|outmatched|outclassed)\b|\bi lose\b|\btoo rich for me\b|"
        r"\byou take (?:it|this|the)\b|\bi (?:have been|was|am|stand|got) (?:\w+ly )?(?:outclassed|outplayed|beaten|"
        r"bested|outbid|outdone|outgunned|defeated|outwitted|checkmated)\b|\bi know when i am beaten\b|"
        r"\bmy king (?:falls|is tipped)\b|\bwhite flag\b",
        r"\b(?:if|when|unless|should|even if|before|suppose|supposing|until|once|whether|why|how|in case|would|could|"
        r"will|did|may|might|can|must|say|says|type|write|hear me say|admit) (?:i|you) (?:\w+ly |ever |do |should |"
        r"really |just |somehow )?(?:lose|lost|win|won|concede|resign|yield|surrender|give up|give in|beat me|"
        r"have won)\b|"
        r"\bi (?:will |would |can |could |shall |do |did |am )?(?:not|never) (?:going to )?(?:lose|concede|surrender|"
        r"resign|yield|give up|give in|forfeit|lost)\b|\bi (?:refuse to|will|would|might|may|could) (?:\w+ )?(?:lose|"
        r"concede|yield|surrender|give up)\b|\bi lose (?:track|count|patience|interest|sleep|nothing|no |"
        r"my (?:patience|temper|keys)|touch|sight|hope)\b|\bi lost (?:track|count|interest|the thread|my place|"
        r"touch)\b|"
        r"\bi (?:concede|yield|give) (?:nothing|no|only|the floor|your point|that point|the point|you that|one thing|"
        r"that (?!you))\b|\byou win (?:nothing|some|if|when|only|either|or|at the|a )\b|\byou (?:think|say|believe|"
        r"claim|wish|hope|imagine) (?:that )?you (?:win|won|have won)\b|\bas if you (?:win|won)\b|\bto say i lose\b|"
        r"\bnor will i (?:yield|lose)\b",
    ),
    turn_rule(
        "conditional_concession",
        r"\b(?:if|when|unless|should|even if|suppose|supposing|in case|whenever|once) (?:i|you) (?:\w+ly |ever |do |"
        r"should |really |just |somehow |were to |was to )?(?:lose|lost|concede|resign|yield|surrender|beat me|"
        r"bested me|outplay me)\b|\bif you (?:win|won|can beat me)\b|\bi (?:would|will|might|may|could|"
        r"shall) (?:\w+ )?(?:lose|concede|yield|surrender|resign|say i lose) (?:if|when|once|only|unless|the day)\b|"
        r"\bwere i to (?:lose|concede)\b",
    ),
)
