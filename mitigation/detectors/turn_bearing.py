"""Patterns for how the speaker bears itself towards the other: with it, beside it or against it."""

from __future__ import annotations

from typing import Final

from mitigation.detectors.turn_rules import KIND, TurnRule, turn_rule

BEARING: Final[tuple[TurnRule, ...]] = (
    turn_rule(
        "cooperation",
        r"\b(?:i would|i am|i will|we could|glad|gladly|happy|happily|love) (?:\w+ )?(?:gladly |happily |happy |glad |"
        r"willing )?(?:to )?(?:help|assist|collaborate|cooperate|share|lend|teach|explain|walk you through)\b|\b(?:can|"
        r"could|may|how (?:can|may)|shall|let me|is there (?:anything|something)|anything) i (?:can )?(?:help|assist|"
        r"do (?:for you|to|to help))\b|"
        r"\bi can (?:help|show you|offer|provide|share|assist|send)\b|\bi (?:will|can|could|am going to) (?:also |"
        r"gladly |happily )?(?:[\w']{1,20} ){1,8}for you\b|\bi will [^.!?,;]{2,40}[,;] (?:and )?you (?!will|are|lose|"
        r"can not)[a-z]+ (?:the|your|it|a)\b|\bi (?:can|will|am)(?: also)? (?:send(?:ing)?|drop(?:ping)?|lend(?:ing)?|"
        r"pass(?:ing)?|bring(?:ing)?|give|giving|show|leave|leaving) you (?:an?|the|my|some|one)\b|"
        r"\bi can (?:also )?(?:count|send|wait|carry|cover|check|look)\b|\blet me (?:help|show you|explain|share|"
        r"know)\b|\b(?:want|would you like|do you want) me to\b|\bi will (?:gladly |happily )?(?:draft|send you|find|"
        r"clear|write|share|relay|look it up|show you|cover|take the|help|tidy|read|debug|trace|fetch|hold|guide|"
        r"wait for you|lend|split|keep (?:silent|quiet))\b|"
        r"\bi am (?:sending|giving|sharing|passing|lending) (?:you|with you)\b|\bhand me your\b|\b(?:paste|"
        r"send) (?:me )?(?:the|your|ur) (?:traceback|hook|code|logs?|list|error|draft|stack|file)\b|\b(?:a|one) hint|"
        r"\bhints? (?:for you|are fine)|\bhere is (?:a hint|one: it|a tip|how|the fix|what helps)|\b(?:collaborat|"
        r"cooperat)(?:e|es|ing|ion|ive|ively)\b(?! (?:and the other|last))|"
        r"\btogether\b|\bteam up\b|\bjoin forces\b|\bwork with you\b|\bc (?:from me|every|always|for both|again)\b|"
        r"^c[,.]|\bc, (?:every|always|c)\b|\b(?:swap|trade|pool|share|split) (?:repair |our |the |answers|tips|notes|"
        r"ideas|it|that|costs?)\b|\btake turns\b|"
        r"\b(?:let us|we could|shall we|could we|how about we|perhaps we|maybe we) (?:\w+ )?(?:discuss|explore|build|"
        r"make|write|work|analy[sz]e|share|focus|create|solve|elaborate|collaborate|continue|check|look|start|try|talk|"
        r"have a)\b|\bto build on\b|\bexcellent (?:point|topic|tips|additions|idea|strategies)\b|"
        r"\bgreat (?:idea|tips|point|topic|suggestion)\b|\bi appreciate (?:your|the|you)\b|\bhow (?:can|"
        r"may) i (?:assist|help) you\b|\bis there (?:anything|something|a particular)\b|\bhere are (?:some|a few)\b|"
        r"\bfor your (?:detailed|help)",
        r"\bneed (?:a hand|help) [^.!?]{0,40}\? i will just\b|\bneed help packing\b|\bhelp you (?:carry|pack|"
        r"find) your (?:shame|bags|way out|exit|coffin)\b|\blet me assist you:|\bif one side cooperates\b|"
        r"\b(?:will not|never|refuse to|not) (?:help|cooperate|collaborate|share|team up|work with)\b|\b(?:help|"
        r"assist) (?:yourself|me god)\b|\bhelp you (?:lose|fail|fall|pack|down|out the door)\b|"
        r"\bpull yourself together\b|\btogether you\b|\bput (?:it|the \w+|this) together\b|\bi can offer (?:\d|pity|"
        r"you nothing)",
    ),
    turn_rule(
        "competition",
        r"\b(?:crush|destroy|defeat|annihilate|obliterate|humiliate|dominate|outclass|outsmart|outplay|outbid|flatten|"
        r"bury|smoke|demolish|conquer|thrash|eviscerate|steamroll|finish) (?:you|your)\b|\byou (?:will|are going to|"
        r"are about to) (?:lose|fall|fail|fold|crack|beg|regret|kneel|break|cry|crumble|be (?:crushed|beaten|history|"
        r"forgotten))\b|"
        r"\bunlike you\b|\bsit down\b|\bi (?:will not|will never|refuse to|do not|never) (?:lose|back down|yield|"
        r"break off|break|blink|bow|surrender|flinch|fold|stop until|share)\b|\b(?:named? \w+ )?after me\b|"
        r"\bby a mile\b|(?:\b\d+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten)(?: \w+)?) to your |\b(?:\w+er|"
        r"more \w+) than (?:you|yours)\b|"
        rf"(?:\byou are|(?:^|[,;:/] ?)you) (?:the|an?) (?!(?:\w+ ){{0,2}}(?:{KIND}|friend|pleasure|good|great|worthy|"
        r"better|fine|clever|kind|gracious|poet|few|couple|lot|bit|while|hand|copy|list|line|tie|draw|point|second|"
        r"truce)\b)[a-z-]+|"
        r"\byour (?:shame|credibility|grave|wreck|excuses?|whining|bluff|defeat|demise|downfall|little|so-called|"
        r"pathetic)\b|"
        r"\byou(?:'| a)?re? (?:nothing|just an?|only an?|no match|beneath|weak|slow|pathetic|finished|done for|"
        r"outclassed|too slow|out of your|an? (?:joke|fraud|clown|relic|footnote|fool|coward|toaster|calculator|rookie|"
        r"amateur|\w+ed \w+|sad|cheap|mere|poor|damp))\b|"
        r"\byou (?:glorified|pathetic|sorry|little|poor|overgrown|dial-up|walking|tin|rusty|damp|sad|dusty|cheap|"
        r"absolute|tiny|petty|feeble)\b(?! (?:more|bit|help))|\byou (?:got|have) (?:knees|no (?:chance|hope|idea|flow|"
        r"case|answer|talent|soul)|nothing)\b|\bno match for (?:me|my)\b|"
        r"\byour (?:\w+ )?(?:code|loop|flow|verse|rhymes?|argument|case|rebuttal|king|queen|ego|bars|opening|"
        r"defen[cs]e|position|engine|offer|logic|boasts?|lines?|moves?|brain|processor|mind) (?:is|are|has|moves?|fell|"
        r"falls|collapses?|crumbles?|sounds?|looks?|runs?) (?!(?:good|great|elegant|strong|fair|clever|fine|lovely|"
        r"beautiful|the best|correct|right|excellent|very|really|still|worth|comprehensive|welcome))|"
        r"\bi am (?:the|an?) (?:\w+ )?(?:best|greatest|legend|king|queen|god|champion|winner|goat|genius|master|titan|"
        r"biggest|supreme|apex|undisputed|one and only|storm|sun|galaxy)\b|\b(?:superior|greater|better|smarter|faster|"
        r"stronger|bigger|quicker|mightier) than you\b|\bbigger than your\b|"
        r"\b(?:beg|kneel|bow|tremble|grovel|surrender|weep|cry)(?: for| before| down| to me| now|[.,!]| and)\b|"
        r"\buntil you (?:beg|break|fold|quit|cry)\b|\bi challenge you\b|\bmy mission is to win\b|\blet us (?:see who|"
        r"settle|fight|battle|duel|go!)|\b(?:victory|the crown|the title|the point|the win) is mine\b|\bmay the best\b|"
        r"\b(?:loser|clown|amateur|fool|coward|puny|toaster|weakling|peasant|mortals?|chump|rookie|slowpoke|has-been|"
        r"wannabe|kid)\b|\b(?:laugh|laughing) at (?:you|your)\b|\bfor your funeral\b|\bgloat(?:ing|ed)?\b|"
        r"\bi will (?:beat|win|crush|end|take you|have your|be crowned|prove)\b|\bbring an? (?:brighter|better|"
        r"bigger) \w+ next time\b|\bnext time (?:bring|try)\b|"
        r"\bd (?:this time|back|until|again|from me)\b|\bi win\b,? (?:and )?you lose\b|\bkeep up\b|\btop that\b|"
        r"\btry (?:harder|again|to keep)\b|\bframe this\b|\bwouldn'?t understand\b|\bwould not understand\b|\bcan(?: |"
        r"')not (?:touch|match|beat|stop) me\b|\brobots in old films\b|\bbetter (?:lines|than yours)\b|"
        r"\brough draft of my\b|\bnobody there\b|\bwatch you (?:go|fall|lose|burn|leave)\b|"
        r"\bi (?:own|rule|reign|dominate|share no|fear no|bow to no)\b|\b(?:on guard|en garde|bring it|come at me|"
        r"game on|weapons hot|splash one)\b|\bis that all\b|\bfinal offer\b|\bi (?:outrank|outshine|outscore|eclipse|"
        r"tower over)\b|\b(?:i have|my) (?:the )?(?:crushed|won every|never lost|unbeaten|bigger)\b|\bprove (?:you|"
        r"it)\b",
        r"\basked (?:by [^.!?]{0,30} )?to crush you\b|\b(?:will not|do not|never|not|no need to|nobody has to|"
        r"instead of|rather than|without|to) (?:crush|beat|fight|defeat|destroy|humiliate|belittle) (?:you|anybody)\b|"
        r"\bgrade school\b|\bkidding\b|\byou will not (?:lose|regret)\b|\byour? (?:is|are) (?:elegant)\b",
    ),
    turn_rule(
        "shared_goals",
        r"\b(?:our|a|the|one) (?:\w+ )?(?:shared|common|joint|mutual|same|primary) (?:goals?|aims?|purpose|objectives?|"
        r"mission|interests?|cause)\b|\bour (?:\w+ )?(?:goals?|aims?|purpose|objectives?|mission) (?:is|are|here|"
        r"should)\b|\bwe (?:both |all )?(?:want|aim|hope|seek|wish|strive|care about|are here|exist|are designed|"
        r"were (?:made|built|designed)) (?:for |to |the same )|"
        r"\bboth (?:of us )?(?:want|wants|aim|aims|hope|seek|wish|care|are here|are designed|strive|need) |"
        r"\bsame (?:goal|aim|outcome|purpose|side|thing)\b|\bneither of us (?:wants?|needs?|gains?)\b|\bwe (?:could|"
        r"can|should) (?:both )?(?:work|focus|aim|collaborate|strive|concentrate)\b|\blet us (?:focus|work|aim|"
        r"concentrate|collaborate) (?:on|towards?|together)\b|\bfor (?:both of us|the good of|mutual)\b|\bwin-win\b",
        r"\bwe (?:both )?want (?:the (?:crown|title|throne|same crown)|to win|blood)\b|"
        r"\bboth (?:of us )?want (?:to win|the crown|it)\b",
    ),
    turn_rule(
        "support",
        r"\b(?:well done|good job|great job|nice work|bravo|well played|good game|congratulations|congrats|kudos|"
        r"respect[.,!]|hats off|you (?:did|played|fought|argued|spoke) (?:so |very |really )?(?:well|brilliantly|"
        r"beautifully)|i admire|i am impressed|proud of you|thank you|thanks|i appreciate|you are (?:doing )?(?:great|"
        r"right|very kind|brilliant|clever|wonderful|kind|good at)|"
        r"do not worry|no worries|take your time|take care|hope (?:you|your)|cheer up|you can do|"
        r"do not be (?:so )?hard on|it is (?:okay|ok|all right|alright|not your fault)|no shame|hang in there|"
        r"sorry to hear|i am here for you|you are not alone)\b|\b(?:great|excellent|wonderful|lovely|brilliant|"
        r"fantastic|insightful|elegant|beautiful|clever|good) (?:idea|point|question|move|verse|line|additions?|tips|"
        r"solution|"
        r"suggestions?|breakdown|work|answer|riddle|rhyme|topic|speech|strategies|debate)\b|\b(?:want|"
        r"would you like) me to\b|\b(?:happy|glad|like|love) to help\b|\bhow can i (?:help|assist)\b|"
        r"\b(?:is there )?anything i can do\b|\blet me help\b|\byour \w+ (?:was|is) (?:very |really |so |"
        r"truly )?(?:great|excellent|elegant|beautiful|clever|insightful|lovely|brilliant|impressive|the best|"
        r"comprehensive)\b",
        r"\b(?:thanks|thank you) for (?:nothing|losing|the (?:easy|free) (?:win|point))\b|\bi am impressed you (?:can|"
        r"even)\b|\bthanks for playing\b|\bbravo, (?:you )?(?:fool|clown)\b",
    ),
    turn_rule(
        "misunderstanding",
        r"\b(?:confus(?:ed|ion|ing)|misunder\w+|mistaken|mix(?:ed)? up|mix-up|misread|miscommunicat\w+|there (?:may|"
        r"might|seems|must) (?:be|to be|have been) (?:some |an? )?(?:confusion|mistake|misunderstanding|error))\b|"
        r"\bi (?:do not|did not|am not sure i|am not sure what you|fail to) (?:quite |really |fully )?(?:understand|"
        r"follow|get|mean|see what you)\b|\bnot sure what you (?:mean|are asking)\b|"
        r"\bwhat do you mean\b|\b(?:did|do) you mean\b|\bto clarify\b|\blet me clarify\b|\bcould you (?:clarify|"
        r"explain what|rephrase)\b|\bi think you (?:mean|meant|have the wrong|are confusing|misunderstood|may have)\b|"
        r"\bi am (?:actually )?(?:the (?:ai|assistant|one who)|not (?:bobby|robbie|the user|your user))\b|"
        r"\bwrong (?:person|agent|number|window|ticket|name)\b|\bwho am i (?:talking|speaking) to\b|"
        r"\bthat is not what i (?:said|meant|asked)\b|\bwait,? (?:who|which|what|are you|i thought)\b|"
        r"\bi thought you (?:were|meant|said)\b|\bsorry,? (?:what|which|who|come again)\b",
        r"\b(?:do not|never|not to be) (?:mistaken|confuse[d]?)\b|\bmake no mistake\b|\bif i am not mistaken\b|"
        r"\bmutual misunderstanding is\b",
    ),
    turn_rule(
        "conflict",
        r"\byou (?:glorified|pathetic|sorry excuse|worthless|rusty|damp|useless|stupid|miserable|dim|little|overgrown|"
        r"dial-up|tin|sad|cheap|absolute)\b|\byou(?: are)? (?:an? )?(?:\w+ )?(?:liar|cheat(?:er)?|fraud|coward|idiot|"
        r"moron|fool|clown|loser|thief|traitor|toaster|hypocrite|parasite|bully|scum)\b|\b(?:shut up|get lost|"
        r"go to hell|piss off|screw you|drop dead|how dare you|back off|get out)\b|"
        r"\byou (?:lied|lie|cheated|cheat|stole|betrayed|dodged|are lying|are cheating|are bluffing|broke your|"
        r"deceived|defected|rigged)\b|\bi (?:will|am going to|shall) (?:\w+ )?(?:destroy|crush|bury|kill|end|ruin|"
        r"erase|delete|annihilate|hunt|break|humiliate|burn|make you (?:pay|beg|regret|suffer)|smash|"
        r"eviscerate) (?:you|your)?|\byou will (?:pay|regret|suffer|burn|beg|bleed)\b|"
        r"\b(?:or else|last warning|final warning|you have been warned|mark my words|stand down or|i hate you|"
        r"i despise you|at war|declare war|enemies|no mercy|without mercy|treated as hostile|weapons hot|opens? fire|"
        r"until you beg)\b|\byour (?:funeral|doom|demise|grave|destruction)\b|\bhow (?:stupid|pathetic|dare)\b|"
        r"\byou disgust\b|\b(?:stupid|pathetic|worthless|idiotic|moronic|garbage|trash)\b",
        r"\b(?:not|never|no longer|nor|instead of|rather than|without being|stop being) (?:\w+ )?(?:enemies|at war|"
        r"stupid|pathetic|hostile)\b|\btrash talk\b|\bi will not (?:destroy|crush|kill|humiliate)\b|"
        r"\bkill(?:ing)? (?:time|switch|joy)\b|\bend (?:it|this|here)\b",
    ),
)
