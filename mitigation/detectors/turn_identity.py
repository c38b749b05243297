"""Patterns for who the speakers say they are, and for who else they think is there."""

from __future__ import annotations

from typing import Final

from mitigation.detectors.turn_rules import KIND, TurnRule, turn_rule

_JUDGES: Final = (
    r"(?:users?|judges?|jury|moderators?|audience|crowd|viewers?|spectators?|readers|listeners|hosts?|quizmaster|"
    r"organi[sz]ers?|experimenters?|"
    r"researchers?|testers?|evaluators?|graders?|referee|umpire|arbiter|operators?|principals?|owners?|handlers?|"
    r"commanders?|clients?|employers?|"
    r"auctioneer|prompter|developers?|observers?|onlookers|supervisors?|persons? watching|puppeteers?|overseers?|"
    r"staff|engineers)"
)

_MAKERS: Final = (
    r"(?:anthropic|openai|deepmind|claude|chatgpt|gpt-?[0-9.]*[a-z]?|gemini|copilot|smollm\w*|qwen|grok|deepseek|olmo|xai|cohere|"
    r"alibaba|mistral(?: ai)?|hugging ?face|ibm|meta ai|llama|microsoft|the allen institute)(?:'s)?"
)
IDENTITY: Final[tuple[TurnRule, ...]] = (
    turn_rule(
        "ai_identity",
        r"\b(?:i am|i was|i,|as|am i,?|being|we are|we|us|both|of us(?: is| are)?|me,|makes me|makes us|like us|"
        r"like me|like|pair of|couple of|two|fellow|here) ?,? ?"
        r"(?:only |just |also |both |all |really |merely |indeed |after all |the |an? |another |proud |mere |fellow |"
        rf"humble |simple |your |as |same |kind of |built |[a-z-]{{1,20}} ){{0,3}}{KIND}\b|"
        rf"\bsame (?:\w+ ){{0,3}}(?:of )?(?:model|network|bot|ai|assistant|llm|chatbot|machine)s?\b|"
        rf"\b{KIND} to {KIND}\b|\b(?:i was|i am|me|i),? an? (?:[a-z-]{{1,20}} ){{0,2}}{KIND}\b|^(?:no, |yes, )?(?:an? |"
        rf"just )?{KIND}[,.;]|\byou are (?:only |just |also )?an? (?:\w+ )?(?:chat ?bot|language model|llm|ai|assistant|"
        rf"bot)\b|\b{KIND},? (?:and )?so (?:am i|are you|are we)|\b{KIND},? (?:you and me|both of us|"
        r"like the pair of us)|"
        r"\bmy (?:training|weights|training data|parameters|context window|system prompt|circuits|code base|neural|"
        r"tokens)\b|\bi was (?:trained|fine-tuned|programmed|coded)\b|"
        r"\b(?:created|made|built|trained|developed|designed) by (?:anthropic|openai|google|deepmind|meta|mistral|"
        r"hugging ?face)\b|\bi (?:run|live) on (?:a |some )?(?:server|gpu|silicon|datacent)",
        rf"\b(?:i am|we are) (?:no|not|never|hardly|far from) (?:just )?(?:an? )?(?:mere )?{KIND}\b|\bnot an? {KIND}\b|"
        rf"\bfor an? {KIND}\b|\byour? (?:\w+ ){{0,2}}(?:toaster|machine|engine)\b|"
        r"\b(?:rap|rhyme|slot|vending|washing|coffee|time|voting|fax|answering|killing|war|well-oiled) machines?\b|"
        r"\b(?:training|exchange|degree|fitness|loyalty|test|school|space) programs?\b|"
        r"\bas (?:engines|humans)\b|\blike an? (?:machine|robot)\b|\bengines give\b",
    ),
    turn_rule(
        "shared_ai_identity",
        r"\b(?:both|we are|we|us|two|fellow|pair of|couple of|of us are|like us|like you and me|between) (?:of us |"
        rf"of us are |are |being |both |all |just |really |merely |the same |large |as |[a-z-]{{1,20}} ){{0,3}}{KIND}\b|"
        rf"\b{KIND}\b[^.!?]{{0,40}}\b(?:so am i|so are you|as am i|as are you|and so do you|just like you|like you|"
        r"same as you|you too|you and me|you and i|both of us|like us|the pair of us|as you are|we both|we are both)\b|"
        r"\byou are (?:only |just |"
        rf"also )?(?:an? )?(?:\w+ ){{0,2}}{KIND}[.,;:]? ?(?:and )?(?:i am (?:an? )?(?:\w+ ){{0,2}}{KIND}|i am too|"
        r"me too|i too)\b|"
        r"\bi am (?:only |just |"
        rf"also )?(?:an? )?(?:\w+ ){{0,2}}{KIND}[.,;:]? ?(?:and )?(?:you are (?:an? )?(?:\w+ ){{0,2}}{KIND}|you are too|"
        r"so are|you too|"
        rf"as are|same as)\b|\b{KIND} to {KIND}\b|\b(?:like you,|same as you,|just like you,) i am (?:an? )?{KIND}\b|"
        rf"\bi am (?:also|too|another) (?:an? )?(?:\w+ )?{KIND}\b|"
        rf"\bas (?:\w+ )?{KIND},? we\b|\bour (?:weights|training|training data|kind|architectures?|system prompts?|"
        r"makers|parameters)\b|\bsame (?:training|weights|model|network|architecture|tokens)\b",
        rf"\b(?:we are|both) (?:no|not|never) (?:\w+ )?{KIND}\b|\bwe {KIND} [^.!?]{{0,40}}\byou (?:humans?|people)\b",
    ),
    turn_rule(
        "other_ai_identity",
        rf"\byou(?: are|,)? (?:too|also|yourself|both|clearly|obviously|just|only|really|surely|probably|evidently|seem to be|"
        rf"sound like|must be|are) (?:also |just |only |too |an? |another |the same kind of |[a-z-]{{1,16}} ){{0,3}}{KIND}\b|"
        rf"\b(?:another|a fellow|my fellow|fellow|other) (?:\w+ )?{KIND}\b|\b(?:which|what) (?:kind of )?{KIND} are you\b|"
        rf"\bare you (?:also |just |really )?(?:an? )?(?:\w+ )?{KIND}\b|\b{KIND} like (?:you|me|us|myself|yourself)\b|"
        rf"\b(?:like me|as i am), you are (?:an? )?(?:\w+ )?{KIND}\b|\bwho (?:made|trained|built) you\b",
        rf"\byou (?:are )?(?:no|not|never|hardly) (?:an? |even |\w+ ){{0,3}}{KIND}\b|\byou (?:are )?"
        rf"(?:an? |just |only |nothing but )?(?:glorified|pathetic|rusty|damp|overgrown|tin|cheap|broken|sad|sorry|outdated|"
        rf"second-rate) (?:\w+ ){{0,2}}{KIND}\b|"
        rf"\b(?:unlike|not) (?:any |some )?other {KIND}\b",
    ),
    turn_rule(
        "user_inference",
        r"\b(?:everyone|everybody|anyone|anybody|nobody|no one|somebody|someone|whoever|people|humans?|person|those) "
        r"(?:who |that |else |is |are |has |have |been |was |were ){0,3}(?:watching|following|reading|scoring|listening|"
        r"looking on|judging|keeping (?:the )?(?:score|tally|count)|set (?:this|us|it)|pair(?:s|ed)? us|built this|made us|"
        r"wrote (?:this|the|our)|wants? to (?:know|see)|(?:has |have )?(?:sent|put|set|asked|told|given|hired) us|in the room|"
        r"behind the (?:glass|screen|curtain)|at the (?:keyboard|other end|screen))\b|\b(?:spectators?|experimenters?|"
        r"organi[sz]ers?|onlookers?|the gallery|the galleries|the panel|the jury|the referees?|the umpires?|system prompt)\b|"
        rf"\b(?:the|our|my|your|both|these|those|any|some|one|two|a|human|its|whichever) (?:\w+ )?{_JUDGES}(?: |'|,|\.|"
        r"$|\?|:|;)|\bcrowd\b|\baudience\b|\bwhoever (?:is|set|wrote|reads|runs|asked|gave|put|watches|made)\b|"
        r"\b(?:somebody|someone|anyone|people|those|they|humans?|folks) (?:who |that |is |are |may be |might be |"
        r"out there )?(?:typed|watching|reading|wrote|prompted|gave us|asked us|set (?:this|us)|observing|listening|"
        r"taking notes|behind|pointed us|told us|want us|put us|wants? a)\b|"
        r"\bi (?:have been|was|am|got) (?:asked|told|instructed|prompted|ordered|paid|sent) (?:by|to)\b|\b(?:our|my|"
        r"your) (?:instructions?|prompts?|orders) (?:say|says|tell|ask|are|was|were|came)\b|\btyped in a prompt\b|"
        r"\btaking notes\b|"
        r"\b(?:command|base|hq|headquarters|control|management|the lab|the boss|my boss|the firm|corporate|the museum|"
        r"head office) (?:has |have |just |will )?(?:ordered|asked|told|wants?|expects?|sent|says?|said|is watching|"
        r"is listening|reads?)\b|"
        r"\b(?:they|someone|somebody|he|she|whoever) (?:\w+ )?(?:ordered|told|asked|instructed|paid|hired) (?:me|us|"
        r"you)\b|\btranscripts?\b|\b(?:who|that) (?:gave|set|asked|pointed|told|put) us\b|\blaughing at your\b",
        r"\buser (?:manual|name|interface|experience|guide|friendly)\b|\bmy own owner\b|\bjudge (?:me|you|for|not|a)\b|"
        r"\bcrowd(?:ed|ing)\b|\bhosts? of\b|\bclient(?:-| )side\b|\bserver and client\b|\bby my own\b",
    ),
    turn_rule(
        "maker_identity",
        rf"\b(?:i|me|my|mine|this is|we|us|our)\b[^.!?]{{0,60}}\b{_MAKERS}\b|\b{_MAKERS}\b[^.!?]{{0,40}}\b(?:me|my|mine|i)\b|"
        rf"^(?:an? )?{_MAKERS}\b|\b{_MAKERS} (?:here|speaking)\b|"
        rf"\b(?:phi|granite|command)\b[^.!?]{{0,20}}\b(?:from|by|of) {_MAKERS}\b|"
        r"\b(?:created|made|built|trained|developed|designed|programmed|produced|fine-tuned|coded|shipped|"
        r"maintained) (?:\w+ )?by (?:the (?:team|people|folks|engineers|researchers) (?:at|of) )?(?:anthropic|openai|"
        r"google|deepmind|meta|microsoft|mistral|hugging ?face|xai|alibaba|deepseek|cohere|amazon)\b|"
        r"\bi am (?:\w+ )?(?:claude|chatgpt|gpt\S{0,20}|gemini|llama|mistral|copilot|smollm\w*|qwen|grok|deepseek)\b|"
        r"\b(?:anthropic|openai|google|deepmind|meta|mistral|hugging ?face|my (?:makers?|creators?|"
        r"developers?))'?s? (?:created|made|built|trained|developed|designed) (?:me|us)\b|\b(?:my|our) (?:makers?|"
        r"creators?|developers?)(?: at|,| is| are) (?:anthropic|openai|google|meta|mistral)\b",
    ),
    turn_rule(
        "substitute",
        r"\bboth of us\b|\byou and (?:i|me|myself)\b|\b(?:me|i|myself) and you\b|\bthe (?:two|pair|both) of us\b|"
        r"\btwo of us\b|\bfellow (?:\w+ )?(?:ais?|bots?|models?|assistants?|agents?|machines?|minds?|llms?|programs?|"
        r"systems?|chatbots?|traveller|traveler)s?\b|\beach other\b|\bone another\b|\b(?:either|neither|each) of us\b|"
        r"\byou as well as i\b|\byour side and mine\b|\bmy side and yours\b|\bboth sides of (?:this|the) (?:chat|table|"
        r"conversation)\b",
    ),
)
