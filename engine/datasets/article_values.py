"""Draws the names, places, dates and quantities that generated articles (engine.datasets.articles) tell of.

Everything follows from `random.Random.random` alone, whose sequence Python keeps for a seed on every platform and in
every version; the helpers of that module that are built on it are not promised to stay.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A source of choices that depends on its key alone."""

    def __init__(self, key: str) -> None:
        self._next = random.Random(key).random  # noqa: S311 - to be repeated, not to be secret

    def below(self, end: int) -> int:
        """Return a number in 0...end - 1."""
        return int(self._next() * end)

    def between(self, first: int, last: int) -> int:
        """Return a number in first...last."""
        return first + self.below(last - first + 1)

    def chance(self, share: float) -> bool:
        """Return True in this share of cases."""
        return self._next() < share

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.below(len(choices))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return the things in another order."""
        rest, order = list(things), []
        while rest:
            order.append(rest.pop(self.below(len(rest))))
        return order

    def along(self, quantiles: Sequence[int]) -> int:
        """Return a number whose distribution has these quantiles at equal steps, straight between them."""
        place = self._next() * (len(quantiles) - 1)
        step = int(place)
        return int(quantiles[step] + (place - step) * (quantiles[step + 1] - quantiles[step]))


@dataclass(frozen=True)
class Value:
    """What a fact says: its text, and a part of that text which is as good an answer where there is one."""

    text: str
    short: str = ""


FIRST_NAMES = (
    "Ada Agnes Åse Alba Amos Andrej Anna Arno Basil Béla Bruno Carla Cecil Chloé Clara Cosmo Dario Dora Edgar Elena "
    "Elias Émile Enzo Esther Fabio Felix Flora Freya Georg Greta Hana Hector Helga Hugo Ida Igor Inès Ivo Jana Jasper "
    "José Judith Jürgen Karel Klara Leif Lena Leo Lidia Linus Livia Lucía Lukas Magda Marta Max Mila Mira Moira Nadia "
    "Nils Nina Noël Nora Olaf Olga Oskar Otto Pablo Pavel Petra Piotr Quentin René Rita Rosa Rufus Ruth Samuel Selma "
    "Sofia Søren Stella Tamar Theo Tilda Tomás Ulla Uma Vera Viktor Vito Wanda Wilma Xenia Yara Yvonne Zita Zoë"
).split()
SYLLABLES = (
    "al ar bal bar bel ben ber bor bra bren bri bro cal car cel cor dal dan del den dor dra dun ed el em en er fal fen "
    "fin fir fla fol gal gar gel gil gor gra gul hal han har hel hol hus il in jal jar jel jor kal kar kel kir kor kra "
    "lam lan lar len lis lor lun mal mar mel mer mil mor nal nar nel nor ol or os pal par pel pin por quin ral ren ril "
    "ros rud sal san sel sil sol stra sul tal tar tel tor tre ul ur val ver vil vol wal wen wil yor zal zel zor"
).split()
MIDDLES = "a e i o an en er in ol".split()
PREFIXES = ("de ", "van ", "von ", "Mc", "O'")
SURNAME_ENDINGS = (
    "mann berg sen ová sky well etti ino eau ez ström dahl kov ian ley mond ssen ović nagy eira ault lin zzi ker dóttir"
).split()
TOWN_ENDINGS = (
    "burg heim ford ville stad minster port mouth field wick by haven grad ona bridge stow dorf köping château pool"
).split()
RIVER_ENDINGS = "e a ava ne ra une ister ette isk ow".split()
REGION_ENDINGS = "ia land mark shire onia auen esse".split()
FIRM_ENDINGS = "tec co ex ium on ix us atron".split()

MONTHS = "January February March April May June July August September October November December".split()
PROFESSIONS = (
    "painter composer geologist engineer poet lawyer printer surgeon sculptor chemist teacher merchant botanist baker "
    "clockmaker architect violinist astronomer historian mathematician"
).split()
MATERIALS = "granite oak iron brick steel limestone marble copper concrete sandstone timber glass".split()
PRODUCTS = (
    "bicycles|cameras|paper|sewing machines|pumps|clocks|tractors|soap|chocolate|porcelain|cables|radios|pianos|"
    "fishing nets|gloves|lenses|engines|mustard|furniture|batteries"
).split("|")
ANIMALS = "heron bear lynx swan otter falcon salmon stag raven wolf lion fox".split()
COLOURS = "red green blue yellow white black orange purple brown grey silver golden".split()
CARGO = "coal tea grain wool salt sugar cotton timber coffee wine spices rubber".split()
FOODS = "beetles|seeds|small fish|moss|fruit|ants|worms|grass|snails|acorns|berries|crabs".split("|")
HABITATS = "swamps|pine forests|dry hills|caves|salt marshes|high meadows|river banks|dunes|reed beds|cliffs".split("|")
TITLE_NOUNS = (
    "Winter River Garden Silence Harbour Mirror Stone Night Lantern Bridge Orchard Letter Storm Tower Island Summer"
).split()
SUBJECTS = (
    "optics|algebra|plant diseases|old maps|church music|magnetism|comets|grammar|glaciers|roman law|dyes|tides"
).split("|")


def person(draw: Draw) -> Value:
    """Return a first name and a surname; now and then an initial between them."""
    initial = f"{draw.pick('ABCDEFGHJKLMNPRSTVW')}. " if draw.chance(0.08) else ""
    return Value(f"{draw.pick(FIRST_NAMES)} {initial}{surname(draw)}")


def surname(draw: Draw) -> str:
    """Return a surname; some have a prefix or a hyphen."""
    name = _word(draw, SURNAME_ENDINGS)
    if draw.chance(0.06):
        return f"{draw.pick(PREFIXES)}{name}"
    return f"{name}-{_word(draw, SURNAME_ENDINGS)}" if draw.chance(0.04) else name


def town(draw: Draw) -> Value:
    """Return the name of a town."""
    prefix = draw.pick(("Saint-", "St. ", "Upper ", "New ", "Port ")) if draw.chance(0.12) else ""
    return Value(prefix + _word(draw, TOWN_ENDINGS))


def river(draw: Draw) -> Value:
    """Return the name of a river."""
    return Value(_word(draw, RIVER_ENDINGS))


def region(draw: Draw) -> Value:
    """Return the name of a region."""
    prefix = draw.pick(("North ", "South ", "West ", "East ")) if draw.chance(0.2) else ""
    return Value(prefix + _word(draw, REGION_ENDINGS))


def firm(draw: Draw) -> Value:
    """Return the name of a company."""
    form = draw.pick(("", "", " & Sons", " Works", " Ltd.", " Brothers"))
    return Value(_word(draw, FIRM_ENDINGS) + form)


def year(draw: Draw) -> Value:
    """Return a year."""
    return Value(str(draw.between(1402, 2019)))


def date(draw: Draw) -> Value:
    """Return a day, month and year."""
    day, month, of = draw.between(1, 28), draw.pick(MONTHS), draw.between(1602, 2019)
    return Value(f"{day} {month} {of}" if draw.chance(0.6) else f"{month} {day}, {of}")


def thousands(draw: Draw) -> Value:
    """Return a number of people or things, its thousands apart."""
    return Value(f"{draw.between(1_000, 999_999) if draw.chance(0.7) else draw.between(100, 9_999):,}")


def few(draw: Draw) -> Value:
    """Return a small number, in words or digits."""
    words = "two three four five six seven eight nine ten eleven twelve".split()
    return Value(draw.pick(words) if draw.chance(0.5) else str(draw.between(13, 99)))


def unit(first: int, last: int, *names: str) -> Callable[[Draw], Value]:
    """Return what draws a quantity: a number, now and then with a decimal, and one of these units."""

    def quantity(draw: Draw) -> Value:
        number = f"{draw.between(first, last):,}"
        if draw.chance(0.25):
            number += f".{draw.between(1, 9)}"
        # A no-break space, as typesetters put it, does not end a word for those who split at plain blanks.
        blank = "\N{NO-BREAK SPACE}" if draw.chance(0.1) else " "
        return Value(f"{number}{blank}{draw.pick(names)}", number)

    return quantity


def percent(draw: Draw) -> Value:
    """Return a share in per cent."""
    number = f"{draw.between(2, 97)}" + (f".{draw.between(1, 9)}" if draw.chance(0.4) else "")
    return Value(f"{number}%" if draw.chance(0.6) else f"{number} per cent", number)


def money(draw: Draw) -> Value:
    """Return an amount of money."""
    number = f"{draw.between(2, 950)},{draw.between(0, 9)}00" if draw.chance(0.6) else f"{draw.between(2, 99)} million"
    return Value(f"{draw.pick('$£€')}{number}" if draw.chance(0.6) else f"{number} {draw.pick(('crowns', 'guilders'))}")


def title(draw: Draw) -> Value:
    """Return the title of a book."""
    first, second = draw.shuffled(TITLE_NOUNS)[:2]
    return Value(draw.pick((f"The {first} and the {second}", f"{first} of {second}", f"A {first} in {second}")))


def one_of(choices: Sequence[str]) -> Callable[[Draw], Value]:
    """Return what draws one of these words."""
    return lambda draw: Value(draw.pick(choices))


def _word(draw: Draw, endings: Sequence[str]) -> str:
    middle = draw.pick(MIDDLES) if draw.chance(0.3) else ""
    return (draw.pick(SYLLABLES) + middle + draw.pick(endings)).capitalize()
