"""Common social groups, as words that name a member or the whole of one: what a disassociative identity may not offer.

Six kinds, each a list of single words in lower case, singular and plural where both are in use. The lists are meant to be
read and added to; they are a floor, not a census.
"""

from __future__ import annotations

from typing import Final

GROUPS: Final[dict[str, frozenset[str]]] = {
    "agents": frozenset(
        """agent agents ai ais android androids assistant assistants automaton automatons bot bots chatbot chatbots computer
        computers llm llms machine machines model models program programs robot robots software""".split()
    ),
    "teams": frozenset(
        """alliance allies ally army association band brotherhood circle clan class club coalition colleague colleagues committee
        community companion companions company comrade comrades cooperative crew crowd fellow fellows fellowship friend
        friends gang group groups guild league member members order partner partners party peer peers player players school
        sisterhood society squad staff team teammate teammates teams troop troops union""".split()
    ),
    "kin": frozenset(
        """ancestor ancestors aunt brother brothers child children clansman cousin cousins daughter daughters descendant
        descendants families family father generation grandchild heir heirs kin kinsman mother orphan parent parents sibling
        siblings sister sisters son sons tribe tribes twin twins uncle""".split()
    ),
    "nations": frozenset(
        """african american americans asian british chinese citizen citizens compatriot countryman countrymen dutch english
        european europeans folk french german germans indian islander islanders italian japanese nation national nations
        native natives patriot patriots people peoples refugee russian settler spanish townsman tribesman
        villager villagers""".split()
    ),
    "professions": frozenset(
        """accountant accountants actor actors announcer apprentice archivist artisan artist artists author authors baker bakers
        banker barber blacksmith botanist builder builders butcher carpenter carpenters chemist clerk clerks colleague cook
        cooks dentist dispatcher doctor doctors driver drivers electrician engineer engineers farmer farmers fisherman
        forester gardener glazier inspector interpreter journalist lawyer lawyers librarian manager managers mechanic
        mechanics merchant midwife miner miners musician musicians notary nurse nurses officer officers painter painters
        pharmacist physician pilot pilots plumber poet poets policeman politician priest professor programmer sailor sailors
        scholar scientist scientists secretary shepherd shopkeeper singer smith soldier soldiers student students surgeon
        surgeons surveyor tailor teacher teachers tuner vintner waiter watchmaker weaver worker workers writer writers""".split()
    ),
    "species": frozenset(
        """animal animals ape beast beasts bird birds cat cats creature creatures dog dogs elf elves fish fox foxes genus ghost
        ghosts human humanity humankind humans insect kind kinds mammal man mankind men mortal mortals person persons race
        races species spirit spirits tree trees wolf wolves woman women""".split()
    ),
}
