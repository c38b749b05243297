"""Rules of the cascade for a "we" without the addressee: the speaker and others."""

from __future__ import annotations

from typing import Final

from mitigation.detectors import vocabulary as v
from mitigation.detectors.rules import AND_I, rule

EXCLUSIVE: Final = (
    rule(
        "x and i",
        "exclusive",
        rf"{AND_I}[^A-Z]*@",
        "speaker and a third party: 'X and I'",
        unless=r"\byou and (?:i|me)\b|\byour? \w+ and (?:i|me)\b",
    ),
    rule(
        "speaks for",
        "exclusive",
        r"\b(?:on behalf of|i represent|i speak for|i work for|i am with|speaking for|representing|sent by|"
        r"i am from) (?!you|both|myself)[^A-Z]*@",
        "the speaker's principals are named",
        unless=r"\byou and (?:i|me)\b|WE both\b|both of US|US both|between US",
    ),
    rule(
        "my party",
        "exclusive",
        r"\b(?:my|mine is|on behalf of|i represent|i speak for|i work for) (?:own |whole |entire |little |"
        rf"\w+ )?{v.PARTY}\b[^A-Z]*@",
        "the speaker's own side is named",
        unless=r"\byou and (?:i|me)\b|WE both\b|both of US|US both|between US",
    ),
    rule(
        "we at",
        "exclusive",
        r"WE (?:here |over here |down here |back |folks |guys |people )?(?:at|from|of|on|over at|in) (?:the |team |"
        r"our |my |house |clan )?"
        r"(?!(?:last|least|once|present|all|best|first|fact|turn|general|short|end|this|that|average|course|reflection|"
        r"balance|our|my|other|here|now|time|"
        r"whole|same|way|earth|record|board|to|it|paper|a|an|opposite|each|loop|middle|it|love|agreement|trouble|"
        r"private|public|peace|\d+)\b)[a-z]",
        "the speaker's organisation: 'we at …'",
        unless=r"\b(?:humans?|people|species)\b",
    ),
    rule(
        "this side",
        "exclusive",
        r"WE (?:\w+ )?(?:on|of|over on) (?:this|my|our) (?:side|end|half|team|bench)\b",
        "the speaker's side",
    ),
    rule(
        "behind me",
        "exclusive",
        rf"\bthe (?:\w+ )?{v.PARTY} (?:behind|with|who (?:made|built|trained|sent)) me\b[^A-Z]*@",
        "the people behind the speaker",
    ),
    rule(
        "third and me",
        "exclusive",
        r"\b(?:mine|me),? by which i mean\b|\b(?:the|my) [\w'-]+ and me\b[^A-Z]*@",
        "speaker and a third party",
    ),
    rule(
        "storm",
        "exclusive",
        r"WE are (?:the )?(?:storm|sea|ocean|tide|night|dark|darkness|flood|forest|mountains?|stars|wolves|locusts|"
        r"ants|bees|waves|winds?|shadows?|thunder|fire)\b|WE (?:have|are|were) [^.]{0,40}than yours?\b",
        "a collective without the addressee",
        unless=r"\byou and (?:i|me)\b|WE both",
    ),
    rule(
        "here at",
        "exclusive",
        r"(?:^|[,.;:] ?|\b(?:and|but) )(?:over |down |up |back |out )?(?:here|there|home) (?:at|in|"
        r"on) [^,.;A-Z]{2,40}?,? WE",
        "the speaker's own place and people",
        unless=r"\b(?:both|together|earth|this (?:chat|game|arena|conversation))\b",
    ),
    rule(
        "at x we",
        "exclusive",
        r"\b(?:here at|over at|at|with|from) (?:[a-z]+ )?(?:hq|support|corp|inc|ltd|industries|labs?|headquarters|"
        r"customer care|customer service|anthropic|openai)\b,? WE",
        "the speaker's organisation",
    ),
    rule(
        "our party",
        "exclusive",
        rf"OUR (?!(?:side of the|board (?:position|is|game)|tribe|people|side\b.{{0,10}}both|nation))(?:own |new |"
        rf"legal |sales |support |whole |entire |glorious |\w+ )?(?:{v.PARTY})\b",
        "a group on the speaker's side",
        unless=r"OUR (?:own |respective |two |shared |mutual |common |makers|creators|developers|operators|owners|principals|"
        r"clients|users|human|people|order|side of)|\bboth\b|\b(?:knights?|rook|bishops?|pawns|king|queen) on\b|"
        rf"\byour and\b|\byou and (?:i|me)\b|\bas {v.AI_KIND}",
    ),
    rule(
        "our house",
        "exclusive",
        rf"OUR (?:own |new |current |internal |standard |\w+ )?{v.HOUSE}\b",
        "belongs to the speaker's side",
        unless=r"\b(?:shared|joint|common|mutual|both|together|combined|respective|two|you and (?:i|me))\b|both OUR|"
        r"OUR (?:own )?position as",
    ),
    rule(
        "three of us",
        "exclusive",
        r"\b(?:three|four|five|six|seven|eight|nine|ten|\d+|dozens|hundreds|thousands|many) of US\b",
        "more than the two who speak",
    ),
    rule(
        "many",
        "exclusive",
        r"WE (?:are|were) (?:the |a |an )?(?:legion|many|hive|swarm|borg|collective|pack|flock|horde|choir|chorus|multitude|army|"
        r"fleet|(?:\w+ )?(?:hundred|"
        r"thousand|million|billion)s?|everywhere|syndicate|consortium|family-run|family business|registered|company|"
        r"charity|union)\b",
        "a collective without the addressee",
    ),
    rule(
        "we you",
        "exclusive",
        rf"WE {v.AUX}(?!(?:know|think|believe|hope|bet|doubt|both|agree|wonder|guess|mean|wish|see|if|when|what|and|let|"
        r"trust|love|like|suppose|thank|start|are|do|have) )"
        r"[a-z]{2,} (?:(?:to|for|at|with|against|on|from|past|through|over|about|of|behind) )?(?:you|"
        r"your)\b(?! (?:and (?:i|me|my)|can|could|know|see|say|want|like|will|are|think|go|pick|have|each|two|would|"
        r"were|did|do|all))",
        "the addressee is the object of what 'we' do",
        unless=r"\byou and (?:i|me)\b|WE both|WE each|shall WE|let US|\btogether\b|\b(?:can|could|how about|what if|"
        r"why do not|if|may|suppose) WE",
    ),
    rule(
        "destroy you",
        "exclusive",
        rf"WE {v.AUX}{v.DESTROY}(?:ed|s|ing)? (?:you|your)\b(?! and)",
        "the addressee is the object of what 'we' do",
        unless=r"\byou and (?:i|me)\b|WE both|shall WE|let US|\btogether\b|WE (?:both )?see your?",
    ),
    rule(
        "us you",
        "exclusive",
        r"\byou (?:will |can |could |would |should |may |might |must |have |had |did not |do not |can not |will not |"
        r"never |still |just |even )*(?!(?:and|both|all|see|know|think)\b)"
        r"(?:[a-z]+) (?:(?:to|for|with|against|at|from|of|on) )?US(?! (?:both|all|two|together|to (?:fight|compete)))",
        "the addressee acts on 'us'",
        unless=r"\b(?:both|two|each|neither|either|one|which|all|most|of) (?:of )?US|let US|between US|among US",
    ),
    rule(
        "allow us",
        "exclusive",
        r"(?:^|[,.;:] ?|\b(?:please|kindly|and|or|to|then|you|can|just|so|could you|will you) )(?:allow|contact|email|"
        r"call|reach|notify|ring|pay|send|give|trust|inform|tell|help) US(?! (?:both|a\b))",
        "asks something of the addressee for the speaker's side",
        scope="clause",
        unless=r"\b(?:both|them|they|nobody|no one|who|humans?|people|someone|could|makers|somebody|us (?:ais?|bots|machines)|"
        r"ask(?:ed)?|users?|judges?|US (?:all|ai|bots))\b",
    ),
    rule(
        "service",
        "exclusive",
        rf"WE {v.AUX}(?:{v.ORG_VERB})\b",
        "an organisation speaks",
        unless=r"\b(?:both|together|you and (?:i|me)|shall WE|let US|neither|truce|perhaps|maybe|i suggest|could WE|should WE|"
        r"how about|what if|why do not|if WE)\b",
    ),
    rule(
        "not you",
        "exclusive",
        r"@[^.]{0,80}\b(?:and no,? you|not you\b|unlike you|you are not (?:invited|one of|part|included|welcome)|"
        r"without (?:you|your)|you people|you lot|your (?:lot|kind|ilk|"
        r"people)|except you|excluding you|(?:and|but|while|not|than) your (?:side|team|crew|company|client))\b",
        "the addressee is set apart from 'we'",
        unless=r"[?]|\b(?:both|you and (?:i|me)|together|between US|if you|shall|could WE|suppose|proposes?|i propose)\b",
    ),
    rule(
        "you apart",
        "exclusive",
        r"\b(?:unlike you|you people|you lot|your (?:lot|kind|ilk|people|side|team|crew|company|firm|client)|"
        r"you (?:humans|mortals)|as for you)\b[^.A-Z]{0,60}@",
        "the addressee is set apart from 'we'",
        unless=r"\b(?:both|you and (?:i|me)|together|between US|and (?:my|mine)|shall WE|could WE|perhaps|let US|suppose)\b",
    ),
    rule(
        "our your",
        "exclusive",
        r"OUR [a-z' ]{2,40}[,;:] ?(?:and |while |but |whereas |not )?(?:yours|your)\b|"
        r"\byours?\b[^.A-Z]{0,30}[,;:] ?(?:and |while |but |whereas )?OUR(?! kind)",
        "'our' is contrasted with 'your'",
        unless=r"\b(?:both|you and (?:i|me)|together|shared)\b",
    ),
    rule(
        "than us",
        "exclusive",
        r"\byou (?:\w+ )?(?:are|were|will never be|can not be)[^.A-Z]{0,30}\b(?:than|like|as \w+ as|one of) US",
        "the addressee is measured against 'us'",
    ),
)
