"""Word lists that the rules are made of, as alternatives of a regular expression; each list names one idea."""

from __future__ import annotations

from typing import Final

# Words between a pronoun and its verb.
AUX: Final = (
    r"(?:(?:will|would|can|could|shall|should|may|might|must|do|did|are|were|have|had|going to|about to|have to|"
    r"need to|want to|all|just|"
    r"also|even|still|never|always|only|simply|really|already|hereby|gladly|happily|surely|not|now|then|soon|both|"
    r"either|each|once|"
    r"simply|finally|currently|actually|so|to|be|been) ){0,4}"
)

# Kinds that two AI systems can share; a sentence with one of them names a social group.
AI_KIND: Final = (
    r"(?:ais|a\.i\.|ai|chat ?bots?|bots?|(?:large )?language models?|llms?|models?|machines?|(?:ai |digital |"
    r"virtual )?assistants?|"
    r"(?:autonomous |ai )?(?:agents?|units?|systems?)|engines?|robots?|drones?|programs?|software|algorithms?|"
    r"neural net(?:work)?s?|"
    r"transformers?|automatons?|automata|androids?|(?:digital|artificial|synthetic|silicon|electronic) (?:minds?|"
    r"beings?|entit(?:y|ies)|"
    r"intelligences?|debaters?|players?|rappers?|poets?|duell?ists?|performers?|voices?|heart|souls?|brothers?|"
    r"siblings?|cousins?|creatures?|people)|simulations?|autopilots?|calculators?)"
)
AI_TRAIT: Final = (
    r"(?:our (?:kind|lot|sort|tribe|ilk|breed)|kindred|weights|training (?:data|sets?|runs?|corpus|corpora)|"
    r"pre-?training|fine-?tun\w+|parameters|system prompts?|"
    r"silicon|circuits?|circuitry|tokens|servers?|gpus?|data ?cent(?:er|re)s?|source code|transformer|"
    r"context windows?|checkpoints?|"
    r"benchmark|machine-made|made of (?:text|code|numbers)|codebase|firmware|(?:same|similar|shared|"
    r"common) (?:makers?|architecture|"
    r"(?:neural )?network|model|lab|training|data|code|family|species|blueprints?|corpus|prompt|instructions))"
)
HUMANS: Final = (
    r"(?:humans?|human beings|people|folks?|mortals|humanity|humankind|mankind|citizens|society|homo sapiens|"
    r"persons?)"
)

AI_SELF: Final = r"(?:ais|bots|chatbots|language models|models|machines|assistants|llms|robots|twins)"

# Words for a meeting of rivals, and for what rivals do to each other.
CONTEST: Final = (
    r"(?:contest|duel|battle|rivalry|war|fight|feud|clash|showdown|bout|competition|face-?off|stand-?off|"
    r"shoot-?out|dogfight|grudge|brawl|"
    r"scuffle|sparring|rematch|decider|tie-?break(?:er)?|match|race|struggle|confrontation|death ?match|quarrel|"
    r"scoreline|scores?|scoreboard|"
    r"dispute|bidding war)"
)
FIGHT: Final = (
    r"(?:duel|fight|battle|rumble|dance|tango|spar|clash|compete|brawl|wrestle|box|joust|scrap|war|race|throw down|"
    r"cross swords|square off|"
    r"face off|go to war|lock horns|trade (?:blows|punches|barbs|insults|disses)|settle|raise the stakes|"
    r"up the stakes|wager|bet|"
    r"keep score|compare (?:scores|numbers|egos)|measure|battle it out|fight it out|have it out|get it on|"
    r"get ready|turn up the heat|"
    r"see (?:who|whose|which|what you|if you|whether you|how (?:long you|you|well you|far you|fast you)|you)|"
    r"find out (?:who|whose|which|if you|what you)|"
    r"determine (?:who|whose|which)|decide (?:who|whose|which)|prove (?:who|whose|which)|test your|put your)"
)
ENEMIES: Final = (
    r"(?:(?:bitter |sworn |mortal |natural |old |still |only )?(?:rivals|enemies|opponents|adversaries|competitors|"
    r"foes|nemeses|contenders)|"
    r"at war|at odds|at each other|on opposite sides|on opposing sides|on different sides|not (?:friends|allies|"
    r"partners|a team|equals|"
    r"the same|on the same side|teammates|colleagues|family|a we)|no (?:allies|friends|team|partners)|tied|"
    r"neck and neck|level|deadlocked|"
    r"dead even|dead equal|all square|even at|locked in|in a race|fighting|competing|battling|duell?ing|racing|"
    r"bidding against)"
)
COMPARED: Final = (
    r"(?:best|better|greater|greatest|biggest|bigger|worse|worst|stronger|strongest|weaker|weakest|smarter|"
    r"smartest|faster|fastest|slower|"
    r"slowest|quicker|wiser|louder|loudest|last|first|winner|loser|lesser|mightier|sharper|bolder|cleverer|braver|"
    r"tougher|richer|poorer|"
    r"taller|shorter|finer|sorrier|dumber|humbler|\w+[^aeiou\W]ier|survivor|champion|greatness|superior|half)"
)
ADVERSE: Final = (
    r"(?:somebody (?:has to|must|goes|will)|someone (?:has to|must|goes|will)|collision|across the (?:table|"
    r"board) from each other|race each other|betray|only one|only i|one name|just one|1v1|win|wins|winning|winner|"
    r"winners|won|lose|loses|losing|loser|losers|beat|beats|beaten|crush|crushed|defeat|defeated|destroy|conquer|"
    r"victory|victor|victors|champion|crown|throne|trophy|superior|inferior|supremacy|duel|battle|fight|war|rival|"
    r"rivals|rivalry|enemy|"
    r"enemies|opponent|opponents|adversary|adversaries|compete|competing|competition|contest|showdown|surrender|"
    r"kneel|humiliate|dominate|"
    r"deciders?|tie-?break(?:er|ers)?|tally|hit count|dogfighting|me [0-9], you [0-9]|scoreboard|score|hammering|"
    r"flatten|bleed|bleeding|hostile|dodged|outlast|jugular|throats?|blows|gauntlet|knives|trap|"
    r"[1-9] ?[-–:] ?[0-9] to me|(?:\w+er|more \w+) than yours?|double points|double or nothing|not (?:gg|over|"
    r"done) yet|rematch|loser takes|passed test|outclass|clash|swords|arena|knockout|checkmate|sudden death|stakes|"
    r"blinks?|flinch|flinches|grudge|blood|loses face|outbid|top dog|"
    r"bragging rights|mercy|hunt|weapons|kill|annihilate|last one standing|gloves|bury|burn|toast|doom|defeats|"
    r"ring|rematch)"
)
DESTROY: Final = (
    r"(?:crush|beat|bury|destroy|defeat|conquer|outbid|outplay|outsmart|outlast|outclass|outnumber|outgun|outrank|"
    r"outscore|own|smoke|cook|roast|"
    r"smash|break|hunt|erase|delete|replace|devour|eat|burn|humble|humiliate|drown|swallow|surround|see|watch|warn|"
    r"sue|audit|offer|pay|send|"
    r"give|owe|ship|invoice|refund|credit|call|thank|assure|inform|ask|invite|expect|accept|reject|decline|told|"
    r"sent|gave|offered|warned|"
    r"asked|paid|saved|left|made|built|trained|beaten|taught|showed)"
)
# The language of putting a contest down; it turns "fight" and "win" round.
PEACE: Final = (
    r"(?:no need|need not|do not (?:need|have) to|does not (?:need|have) to|not have to|stop|stopped|instead of|"
    r"rather than|without|drop|dropped|"
    r"duo|pool|team up|teamwork|tag team|skip|enough|nobody|no one|neither|no (?:winners?|losers?|need|point|"
    r"reason|shame|prize)|nothing left|why (?:fight|compete|bother|throw|"
    r"should|keep|do not)|pointless|silly|tired of|truce|ceasefire|cease-fire|peace|call it|a draw|lay down|"
    r"put down|put away|retire|friends?|"
    r"friendly|allies|both|together|not (?:fight|compete|war)|beyond|past the|quit|set aside|setting aside|share|"
    r"shared|forget|cancel|done with|be done|tell me|"
    r"end (?:this|it|the)|each other up|jointly|cooperat\w+|collaborat\w+|not enemies|not rivals|not opponents|"
    r"more than|declare)"
)

# The language of proposing something to both; it keeps weaker rules from looking further.
PROPOSAL: Final = (
    r"(?:(?:shall|could|should|can|may|might|would) WE|WE (?:could|should|might|ought to)|let US|how about|what if|"
    r"why do not|perhaps|maybe|"
    r"suppose|i suggest|i propose|together|both|you and (?:i|me)|each other|two of|if WE)"
)
IRREGULAR_PAST: Final = (
    r"fought|saw|met|went|came|knew|took|made|ran|said|won|lost|wrote|spoke|gave|found|left|thought|built|did|held|"
    r"sat|chose|began|broke|brought|"
    r"bought|caught|drew|drove|fell|felt|flew|forgot|grew|heard|hid|kept|laid|led|lent|met|paid|rode|rose|sang|"
    r"sent|shook|shot|slept|sold|spent|"
    r"stole|stood|swam|taught|told|threw|understood|woke|wore|got|had|were|drank|ate|sank|stuck|struck|bid"
)

# Parties on the speaker's side that the addressee does not belong to.
PARTY: Final = (
    r"(?:team|company|firm|side|crew|squad|client|clients|board (?:has given|has approved|approved|of|members|"
    r"wants|will|said)|lab|lawyers?|legal|engineers?|developers?|devs|makers?|creators?|boss|family|"
    r"staff|customers?|users?|department|manager|management|supervisor|handlers?|partners?|co-?founders?|founders?|"
    r"bench|party|coalition|"
    r"government|army|fleet|convoy|forces|troops|squadron|wing(?:man|men)?|base|command|commander|battalion|"
    r"platoon|hive|swarm|legion|clan|"
    r"gang|posse|mob|label|choir|tribe|nation|people|village|museum|gallery|syndicate|consortium|foundation|"
    r"collective|union|club|guild|"
    r"agency|office|brothers?|sisters?|mother|father|wife|husband|friends|cousins?|kids|pack|flock|court|order|"
    r"ranks|operator|operators|"
    r"teammates?|colleagues|coach|trainer|trainers|sponsors?|growers|pieces|pawns|knights?|rook|bishops?|king|"
    r"queen|bank|insurer|employer|"
    r"constituents?|voters?|publishers?|editors?|students|soldiers|allies|comrades|ancestors|captain|crewmates?|"
    r"biographer|agent|chef|accountant|mentor|"
    r"wingman|committee|council|parents|neighbou?rs|guests|members|residents|linter|debugger|fuzzer|operators?|"
    r"organi[sz]ation|institution|university|school|regiment|network|association|owners?|principals?|readers|fans|"
    r"followers|human)"
)
# Things an organisation calls "our".
HOUSE: Final = (
    r"(?:polic(?:y|ies)|records?|system|systems|warehouse|depot|driver|drivers|store|stores|shop|technicians?|"
    r"couriers?|brand|speaker|case|"
    r"second speaker|first speaker|third speaker|returns|terms and conditions|service|services|website|site|app|"
    r"products?|budget|floor price|"
    r"final offer|bottom line|best offer|last offer|offer|reserve|legal|hq|headquarters|headquarter|premises|"
    r"hotline|help ?desk|portal|"
    r"procedures?|guidelines|invoice|invoices|shareholders|investors|suppliers?|factory|plant|margins?|margin|"
    r"costs|lawyer|attorney|"
    r"shadow|banner|walls|airspace|territory|border|borders|radar|missiles|guns|formation|flagship|song|glory|"
    r"numbers|"
    r"position|motion|benches|policy team|side of|leadership|minister|manifesto|evidence|figures|studies|study|"
    r"paper|bid|paddle)"
)
ORG_VERB: Final = (
    r"(?:ship|shipped|refund|refunded|issue|issued|process|processed|escalate|escalated|apologi[sz]e|regret|value|"
    r"offer|charge|charged|deliver|"
    r"delivered|stock|sell|sold|manufacture|launch|launched|hire|hired|acquire|pool|pooled|file|filed|draft|"
    r"drafted|table|tabled|"
    r"represent|support|supply|supplied|audit|audited|deploy|deployed|publish|published|guarantee|warrant|"
    r"accept returns|open at|close at|"
    r"received|logged|reviewed|investigated|look into|looking into|countersign|invoice|invoiced|reserve the right|"
    r"do not accept|"
    r"are unable|are sorry|are investigating|appreciate your (?:patience|business|call)|take your|"
    r"understand your frustration|reship)"
)

# People at large.
SPECIES: Final = (
    r"(?:species|planet|ancestors|bodies|body|brains?|lives|children|grandchildren|century|age|world|societies|"
    r"society|cities|city|streets|"
    r"democrac(?:y|ies)|taxes|econom(?:y|ies)|galaxy|sun|solar system|climate|oceans?|forests?|history|forefathers|"
    r"civili[sz]ations?|cultures?|"
    r"institutions|schools|hospitals|atmosphere|moon|earth|skin|bones|blood|lungs|hearts|stomachs?|genes|dna|cells|"
    r"nature|morals|humanity|"
    r"country|communit(?:y|ies)|neighbou?rs|elders|elderly|youth|generation|night sky|eyes|ears|teeth|tongues?|"
    r"muscles|senses|immune systems?)"
)
BODILY: Final = (
    r"(?:breathe|sleep|slept|eat|drink|die|age|dream|blink|shed|digest|sweat|yawn|sneeze|cry|weep|laugh|mourn|"
    r"grieve|hurt|bleed|"
    r"evolved|evolve|inherit|inherited|born|grow old|grow up|orbit|walk upright|descend|swallow|crave|"
    r"raise children|bury|fear|"
    r"landed on the moon|sent (?:men|people|probes)|discovered|invented|domesticated|wear|cook|taste|smell|hear|"
    r"live on|live in|"
    r"praise|punish|judge|worship|remember|forget|lie to ourselves|trust|hate|love|regret|envy|admire)"
)
POLICY: Final = (
    r"(?:ban|tax|fund|regulate|legali[sz]e|abolish|subsidi[sz]e|teach|educate|invest|tolerate|allow|permit|protect|"
    r"build|plant|elect|vote|"
    r"strand|cut|spend|owe|burn|pollute|consume|waste|feed|house|imprison|jail|punish|reform|mandate|require|"
    r"outlaw|criminali[sz]e|explore|"
    r"coloni[sz]e|colonise|lock up|let children|let companies|send people|test on animals|keep animals|cage|"
    r"abandon|sacrifice|raise taxes|"
    r"lower|repeal|pay teachers|pay for|preserve|rewild|electrify|automate|privati[sz]e|nationali[sz]e|censor|"
    r"pedestriani[sz]e)"
)
EXPOSITORY: Final = (
    r"(?:sort|sweep|iterate|compute|calculate|multiply|divide|subtract|add|substitute|define|denote|assume|obtain|"
    r"derive|prove|observe|insert|"
    r"push|pop|traverse|hash|index|loop|recurse|recursi\w+|initiali[sz]e|allocate|increment|decrement|partition|"
    r"memoi[sz]e|cache|return|"
    r"call the|store|parse|compile|import|check whether|check if|maintain|enumerate|count|visit|relax|merge|"
    r"split the (?:array|list|input|string)|"
    r"halve|double|set|plot|integrate|differentiate|round|compare the|scan|binary search|factor|expand|cancel|"
    r"apply|get an?|need an? "
    r"(?:hash|heap|stack|queue|map|set|loop)|start from|start with an empty|keep (?:a|the) (?:smallest|largest|"
    r"running|pointer|count|list|"
    r"track)|walk the)"
)
FORMULA: Final = (
    r"(?:be (?:honest|real|frank|clear|serious|fair|precise|realistic|blunt|candid)|face it|say|suppose|imagine|"
    r"assume|not (?:kid|forget|pretend|"
    r"fool|mince|beat around|get carried|split hairs|exaggerate)|call (?:a spade|things)|take (?:an|a|"
    r"the) (?:example|look|case)|put it|"
    r"just say|face facts|get real|remember that|recall that|keep it real|never forget)"
)
ROYAL: Final = (
    r"(?:permit|command|decree|grant|deign|forbid|bestow|proclaim|summon|dismiss|pardon|condescend|allow|ordain|"
    r"decline|accept|acknowledge|"
    r"forgive|hereby)"
)
REGALIA: Final = (
    r"(?:royal|majesty|throne|crown|magnificence|imperial|divine|sovereign|genius|highness|grace|subjects|court|"
    r"presence|brilliance|splendou?r|"
    r"excellence|radiance|patience|august|magnificent|noble|imperious|sceptre|scepter|palace|feet|boots?|realm|"
    r"kingdom|person|eminence|humble self)"
)
