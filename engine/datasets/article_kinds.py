"""What generated articles tell of: kinds of people and things, their facts, and how facts are told and asked for.

A sentence names its facts in braces; `{name}` is the thing itself. Several sentences tell the same fact and several
questions ask for it, in other words than the sentence now and then, so that the answer cannot be found by shared words
alone; every kind has facts of the same form (years, places, quantities) that only the relation tells apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.datasets import article_values as values
from engine.datasets.article_values import Draw, Value


@dataclass(frozen=True)
class Fact:
    """How a fact's value is drawn, and the questions that it answers."""

    value: Callable[[Draw], Value]
    questions: Sequence[str]


@dataclass(frozen=True)
class Kind:
    """A kind of thing."""

    name: Callable[[Draw], Value]
    facts: Mapping[str, Fact]
    sentences: Sequence[str]
    by_surname: bool = False
    """Whether the last word of the name alone will do."""


PERSON = Kind(
    values.person,
    {
        "birthplace": Fact(
            values.town,
            ("Where was {name} born?", "In which town was {name} born?", "What is the birthplace of {name}?"),
        ),
        "birth": Fact(
            values.year,
            ("When was {name} born?", "In what year was {name} born?", "What is the year of birth of {name}?"),
        ),
        "deathplace": Fact(
            values.town, ("Where did {name} die?", "In which town did {name} die?", "What town did {name} die in?")
        ),
        "death": Fact(values.year, ("When did {name} die?", "In what year did {name} die?")),
        "profession": Fact(
            values.one_of(values.PROFESSIONS),
            ("What was the profession of {name}?", "What did {name} work as?", "What was the trade of {name}?"),
        ),
        "teacher": Fact(
            values.person,
            ("Who taught {name}?", "Who was the teacher of {name}?", "Under whom did {name} study?"),
        ),
        "spouse": Fact(
            values.person, ("Who did {name} marry?", "Whom did {name} marry?", "To whom was {name} married?")
        ),
        "book": Fact(
            values.title,
            (
                "What book did {name} write?",
                "Which book was written by {name}?",
                "What was the title of {name}'s book?",
            ),
        ),
        "subject": Fact(
            values.one_of(values.SUBJECTS),
            ("What did {name} lecture on?", "On what subject did {name} lecture?"),
        ),
        "prize": Fact(values.money, ("How much money did {name} win?", "What sum did {name} win?")),
    },
    (
        "{name} was born in {birthplace} in {birth}.",
        "{name}, born in {birth} in the town of {birthplace}, grew up in a large family.",
        "In {birth}, {name} was born at {birthplace}.",
        "The {profession} {name} was born in {birthplace}.",
        "{name} ({birth}\N{EN DASH}{death}) was a well-known {profession}.",
        "{name} died in {deathplace} in {death}.",
        "In {death} {name} died in the town of {deathplace} after a short illness.",
        "{name} worked as the local {profession} for many years.",
        "By trade {name} was the village {profession}.",
        "{name} was taught by {teacher}.",
        "{name} studied {subject} under {teacher} and later lectured on it.",
        "{name}, a pupil of {teacher}, lectured on {subject}.",
        "{name} married {spouse}, whom few people knew.",
        "At the age of thirty {name} was married to {spouse}.",
        'The book "{book}" was written by {name}.',
        "{name} wrote “{book}” in a single summer.",
        "{name} won {prize} in a contest.",
        "In a lottery, {name} won the sum of {prize}.",
    ),
    by_surname=True,
)
TOWN = Kind(
    values.town,
    {
        "river": Fact(
            values.river,
            ("On which river does {name} lie?", "What river flows through {name}?", "Which river is {name} on?"),
        ),
        "founded": Fact(values.year, ("When was {name} founded?", "In what year was {name} founded?")),
        "charter": Fact(
            values.year, ("When did {name} receive its charter?", "In what year was {name} given a charter?")
        ),
        "people": Fact(
            values.thousands,
            (
                "How many people live in {name}?",
                "What is the population of {name}?",
                "How many inhabitants has {name}?",
            ),
        ),
        "mayor": Fact(values.person, ("Who is the mayor of {name}?", "Who governs {name} as mayor?")),
        "region": Fact(
            values.region,
            ("In which region is {name}?", "What region does {name} belong to?", "Of what region is {name} a part?"),
        ),
        "height": Fact(
            values.unit(12, 2900, "metres", "m", "feet"),
            ("How high above the sea is {name}?", "What is the elevation of {name}?"),
        ),
        "trade": Fact(
            values.one_of(values.PRODUCTS), ("What is {name} known for making?", "For which goods is {name} famous?")
        ),
        "arms": Fact(
            values.one_of(values.ANIMALS),
            ("Which animal is on the coat of arms of {name}?", "What animal do the arms of {name} show?"),
        ),
    },
    (
        "{name} lies on the {river} in {region}.",
        "{name}, a town in {region}, has {people} inhabitants.",
        "The river {river} flows through {name}.",
        "{name} was founded in {founded} by monks.",
        "Founded in {founded}, {name} received its charter in {charter}.",
        "In {charter} the king gave {name} a charter.",
        "About {people} people live in {name}.",
        "The population of {name} is {people}.",
        "The mayor of {name} is {mayor}.",
        "{mayor} has been mayor of {name} since the last election.",
        "{name} belongs to the region of {region}.",
        "{name} stands {height} above the sea.",
        "At an elevation of {height}, {name} has cold winters.",
        "{name} is famous for its {trade}.",
        "Since the war {name} has been known for making {trade}.",
        "The coat of arms of {name} shows the {arms}.",
        "The {arms} is on the arms of {name}.",
    ),
)
BRIDGE = Kind(
    lambda draw: Value(f"{values.town(draw).text} {draw.pick(('Bridge', 'Viaduct', 'Tower', 'Hall', 'Lighthouse'))}"),
    {
        "architect": Fact(
            values.person,
            ("Who designed {name}?", "Who was the architect of {name}?", "By whom was {name} designed?"),
        ),
        "opened": Fact(values.date, ("When was {name} opened?", "On what date did {name} open?")),
        "begun": Fact(
            values.year, ("In what year did work on {name} begin?", "When did the building of {name} begin?")
        ),
        "length": Fact(
            values.unit(20, 3000, "metres", "m", "feet", "yards"),
            ("How long is {name}?", "What is the length of {name}?"),
        ),
        "cost": Fact(values.money, ("How much did {name} cost?", "What did it cost to build {name}?")),
        "material": Fact(
            values.one_of(values.MATERIALS), ("What is {name} made of?", "Of which material is {name} built?")
        ),
        "workers": Fact(
            values.thousands, ("How many workers built {name}?", "How many men were employed in building {name}?")
        ),
        "colour": Fact(values.one_of(values.COLOURS), ("What colour is {name}?", "In which colour is {name} painted?")),
    },
    (
        "{name} was designed by {architect}.",
        "{name}, whose architect was {architect}, is built of {material}.",
        "{name} was opened on {opened}.",
        "Work on {name} began in {begun} and cost {cost}.",
        "On {opened} {name} was opened to the public.",
        "{name} is {length} long.",
        "With a length of {length}, {name} is a landmark.",
        "It took {workers} workers to build {name}.",
        "{name}, begun in {begun}, was built by {workers} men.",
        "The cost of {name} was {cost}.",
        "{name} is made of {material}.",
        "{name} is painted {colour}.",
        "For a century {name} has been {colour}.",
    ),
)
FIRM = Kind(
    values.firm,
    {
        "founder": Fact(
            values.person, ("Who founded {name}?", "By whom was {name} founded?", "Who was the founder of {name}?")
        ),
        "founded": Fact(values.year, ("When was {name} founded?", "In what year was {name} founded?")),
        "seat": Fact(
            values.town,
            ("Where is {name} based?", "In which town is the seat of {name}?", "Where are the offices of {name}?"),
        ),
        "staff": Fact(
            values.thousands, ("How many people does {name} employ?", "How many employees does {name} have?")
        ),
        "product": Fact(values.one_of(values.PRODUCTS), ("What does {name} make?", "What are the products of {name}?")),
        "sales": Fact(values.money, ("What were the sales of {name}?", "How much did {name} sell in a year?")),
        "share": Fact(
            values.percent, ("What share of the market does {name} hold?", "How much of the market does {name} have?")
        ),
        "buyer": Fact(values.firm, ("Which company bought {name}?", "By which company was {name} bought?")),
        "head": Fact(values.person, ("Who leads {name}?", "Who is the director of {name}?")),
    },
    (
        "{name} was founded by {founder} in {founded}.",
        "In {founded}, {founder} founded {name} with borrowed money.",
        "{name}, based in {seat}, makes {product}.",
        "The offices of {name} are in {seat}.",
        "{name} employs {staff} people.",
        "With {staff} employees, {name} makes {product}.",
        "Last year {name} had sales of {sales}.",
        "{name} sold goods for {sales} in a year.",
        "{name} holds {share} of the market.",
        "Its share of the market is {share}, says {name}.",
        "{name} was bought by {buyer}.",
        "The company {buyer} bought {name} in a hurry.",
        "{name} is led by {head}.",
        "The director of {name} is {head}.",
    ),
)
SHIP = Kind(
    lambda draw: Value(
        f"the {draw.pick(('Queen', 'Lady', 'Royal', 'Grand', 'Bold'))} "
        f"{draw.pick(values.FIRST_NAMES) if draw.chance(0.5) else values.river(draw).text}"
    ),
    {
        "captain": Fact(
            values.person,
            ("Who commanded {name}?", "Who was the captain of {name}?", "Under which captain did {name} sail?"),
        ),
        "launched": Fact(values.date, ("When was {name} launched?", "On what date was {name} launched?")),
        "lost": Fact(values.year, ("When did {name} sink?", "In what year was {name} lost?")),
        "harbour": Fact(values.town, ("What was the home port of {name}?", "From which port did {name} sail?")),
        "crew": Fact(values.few, ("How many sailors did {name} have?", "How large was the crew of {name}?")),
        "cargo": Fact(values.one_of(values.CARGO), ("What did {name} carry?", "What was the cargo of {name}?")),
        "weight": Fact(values.unit(80, 40000, "tons", "tonnes"), ("How heavy was {name}?", "What did {name} weigh?")),
        "speed": Fact(values.unit(6, 40, "knots"), ("How fast was {name}?", "What was the top speed of {name}?")),
    },
    (
        "{name} was commanded by {captain}.",
        "Captain {captain} sailed {name} from {harbour}.",
        "{name} was launched on {launched}.",
        "On {launched}, {name} was launched before a large crowd.",
        "{name} sank in {lost} with its cargo of {cargo}.",
        "In {lost} {name} was lost in a storm.",
        "The home port of {name} was {harbour}.",
        "{name} had a crew of {crew} sailors and carried {cargo}.",
        "{crew} sailors served on {name}.",
        "{name} weighed {weight}.",
        "At {weight}, {name} was the heaviest of its class.",
        "The top speed of {name} was {speed}.",
        "{name} reached {speed} in calm water.",
        "{name} carried {cargo} for most of its life.",
    ),
)
BATTLE = Kind(
    lambda draw: Value(f"the {draw.pick(('Battle', 'Siege', 'Treaty', 'Congress'))} of {values.town(draw).text}"),
    {
        "date": Fact(values.date, ("When did {name} take place?", "On what date did {name} begin?")),
        "winner": Fact(values.person, ("Who won {name}?", "Who was the victor of {name}?")),
        "loser": Fact(values.person, ("Who lost {name}?", "Who was defeated in {name}?")),
        "men": Fact(values.thousands, ("How many men took part in {name}?", "How many men were at {name}?")),
        "days": Fact(values.few, ("How many days did {name} last?", "For how many days did {name} go on?")),
        "region": Fact(
            values.region, ("Which region was at stake in {name}?", "Which region changed hands after {name}?")
        ),
        "witness": Fact(values.person, ("Who described {name}?", "Who left an account of {name}?")),
    },
    (
        "{name} took place on {date}.",
        "{name} began on {date} and lasted {days} days.",
        "{name} was won by {winner}.",
        "{winner} defeated {loser} in {name}.",
        "In {name}, {loser} was defeated.",
        "{name} was lost by {loser}, who fled at night.",
        "{men} men took part in {name}.",
        "For {days} days {name} went on.",
        "After {name}, {region} changed hands.",
        "At stake in {name} was the region of {region}.",
        "{witness} left an account of {name}.",
        "{name} was described by {witness} in letters.",
    ),
)
ANIMAL = Kind(
    lambda draw: Value(f"the {values.river(draw).text} {draw.pick(values.ANIMALS)}"),
    {
        "discoverer": Fact(values.person, ("Who first described {name}?", "Who discovered {name}?")),
        "described": Fact(values.year, ("When was {name} first described?", "In what year was {name} discovered?")),
        "food": Fact(values.one_of(values.FOODS), ("What does {name} eat?", "What does {name} feed on?")),
        "habitat": Fact(values.one_of(values.HABITATS), ("Where does {name} live?", "What is the habitat of {name}?")),
        "region": Fact(values.region, ("In which region is {name} found?", "What region is {name} found in?")),
        "weight": Fact(
            values.unit(2, 400, "kg", "grams", "pounds"), ("How much does {name} weigh?", "How heavy is {name}?")
        ),
        "age": Fact(values.unit(2, 80, "years"), ("How long does {name} live?", "To what age does {name} live?")),
        "number": Fact(values.thousands, ("How many of {name} are left?", "How many animals remain of {name}?")),
        "colour": Fact(values.one_of(values.COLOURS), ("What colour is {name}?", "Of what colour is {name}?")),
    },
    (
        "{name} was first described by {discoverer} in {described}.",
        "In {described}, {discoverer} discovered {name}.",
        "{name} feeds on {food}.",
        "{name} lives in {habitat} and eats {food}.",
        "The {habitat} of {region} are home to {name}.",
        "{name} is found in {region}.",
        "{name} weighs up to {weight}.",
        "{name}, which is {colour}, can weigh {weight}.",
        "In captivity {name} lives for {age}.",
        "{name} lives to an age of {age}.",
        "Only {number} animals are left of {name}.",
        "Of {name} some {number} remain.",
        "{name} is {colour} in summer.",
    ),
)
FESTIVAL = Kind(
    lambda draw: Value(
        f"the {values.town(draw).text} {draw.pick(('Festival', 'Fair', 'Regatta', 'Carnival', 'Race'))}"
    ),
    {
        "month": Fact(
            values.one_of(values.MONTHS), ("In which month is {name} held?", "In what month does {name} take place?")
        ),
        "first": Fact(values.year, ("When was {name} first held?", "In what year did {name} begin?")),
        "visitors": Fact(values.thousands, ("How many visitors does {name} have?", "How many people visit {name}?")),
        "patron": Fact(values.firm, ("Which company sponsors {name}?", "By which company is {name} sponsored?")),
        "founder": Fact(values.person, ("Who started {name}?", "By whom was {name} started?")),
        "price": Fact(
            values.money, ("How much does a ticket for {name} cost?", "What is the price of a ticket for {name}?")
        ),
        "growth": Fact(values.percent, ("By how much did {name} grow?", "What was the growth of {name}?")),
        "prize": Fact(values.one_of(values.PRODUCTS), ("What can be won at {name}?", "What are the prizes at {name}?")),
    },
    (
        "{name} is held every {month}.",
        "Every {month} {name} draws {visitors} visitors.",
        "{name} was first held in {first}.",
        "{name} was started by {founder} in {first}.",
        "It was {founder} who started {name}.",
        "Some {visitors} people visit {name}.",
        "{name} is sponsored by {patron}.",
        "The company {patron} sponsors {name}.",
        "A ticket for {name} costs {price}.",
        "{name} asks {price} for a ticket.",
        "Last time {name} grew by {growth}.",
        "The prizes at {name} are {prize}.",
        "At {name}, visitors can win {prize}.",
    ),
)
KINDS = (PERSON, PERSON, TOWN, TOWN, BRIDGE, FIRM, SHIP, BATTLE, ANIMAL, FESTIVAL)
"""Those that there are most of in articles stand here more than once."""

FILLERS = (
    "Little is known about the years that followed.",
    "Several letters from that time survive.",
    "This view is not shared by everyone.",
    "The records of {year} were lost in a fire.",
    "A second edition followed in {year}.",
    "Travellers of that time wrote about it at length.",
    "Visitors from {town} came to see it.",
    "It has been a subject of study ever since.",
    "Prices rose by {percent} in the same period.",
    "The matter was discussed in {town} for years.",
    "Most of what is told about it is a legend.",
    "{person} called it a mistake.",
    "Others think that it was only a beginning.",
    "Today it can be seen in the museum.",
    "Even so, the work went on.",
    "The weather in that year was unusually cold.",
    "Nobody knows why.",
    "A street in {town} is named after it.",
)
"""Sentences that no question asks about; some have a year, a place or a person in them all the same."""
FILLER_VALUES = {"year": values.year, "town": values.town, "percent": values.percent, "person": values.person}

OPENINGS = (
    "It is recorded that ",
    "As far as is known, ",
    "According to an old chronicle, ",
    "Many years later it was said that ",
    "Contrary to a common belief, ",
)
"""What a sentence that begins with its thing may begin with instead."""
