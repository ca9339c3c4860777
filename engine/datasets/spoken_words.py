"""The words of the generated speech, and how a sentence of them is drawn.

All 26 letters and the apostrophe occur, so that a transducer of the rules' alphabet has every symbol to learn.
"""

import numpy as np

WORDS: tuple[str, ...] = tuple(
    """
    a about after again all always and another any apple are around as ask at away back be because been before begin
    below best better between big bird black blue boat book both box bread bring brown bus but buy by call came can
    can't car carry city clear clock close cold come could cup cut dark day deep did didn't do does dog don't door down
    draw dream drive dry each early earth easy eat eight end enough even evening ever every eye face far farm fast
    father few field fifty find fire first fish five fly follow food for found four fox free friend from full game
    garden gave get girl give glass go good grass great green grow had half hand happy hard has have he hear heart he'll
    help here he's high his home horse hour house how i i'll i'm in into is isn't it it's jazz jog join jump just keep
    kind king knew know lake large last late laugh learn leave left let light like line listen little live long look
    lost low made make man many may me milk mine money month moon more morning most mother move much music must my name
    near never new next night nine no north not now o'clock of off often old on once one only open or other our out
    over own page paper part people place plant play please pond quarter queen question quick quiet quite rain reach
    read ready red rest rich right ring river road rock room round run said same sea second see seven she she's ship
    short should show side silver sing six sky sleep slow small snow so some song soon south speak spring stand star
    start stay still stone stop story street strong such summer sun sure table take talk tell ten than that that's the
    their them then there they thing think this thought three time to today together too town tree true try twelve
    twenty two under until up upon us use valley very voice wait walk wall want warm was wasn't watch water way we we'll
    week well went were west we've what when where which while white who why will wind window winter with woman wood
    word work world would write year yellow yes you young you're zebra zero zigzag zoo
    """.split()
)

MOST_WORDS = 10
"""Of a sentence."""


def sentence(random: np.random.Generator) -> str:
    """Return 1 to MOST_WORDS words, separated by blanks."""
    return " ".join(WORDS[number] for number in random.integers(len(WORDS), size=random.integers(1, MOST_WORDS + 1)))
