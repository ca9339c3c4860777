"""The colours, from the 256 cube: they look the same in truecolor and stay apart at 16 colours and in grey."""

from textual.theme import Theme

DARK = Theme(
    name="inferdeck-dark",
    primary="#5fafff",
    secondary="#87d7ff",
    accent="#ffaf00",
    foreground="#d7d7d7",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#5fd75f",
    warning="#ffd75f",
    error="#ff5f5f",
    dark=True,
    variables={
        "line": "#5f5f5f",
        "dim": "#afafaf",
        "good": "#5fd75f",
        "todo": "#ffd75f",
        "bad": "#ff5f5f",
        "mark": "#5fafff",
        "block-cursor-background": "#000087",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#262626",
        "block-cursor-blurred-foreground": "#d7d7d7",
        "block-hover-background": "#000000",
        "input-selection-background": "#005f87",
    },
)

LIGHT = Theme(
    name="inferdeck-light",
    primary="#005faf",
    secondary="#005f87",
    accent="#af5f00",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#eeeeee",
    success="#005f00",
    warning="#875f00",
    error="#af0000",
    dark=False,
    variables={
        "line": "#878787",
        "dim": "#5f5f5f",
        "good": "#005f00",
        "todo": "#875f00",
        "bad": "#af0000",
        "mark": "#005faf",
        "block-cursor-background": "#afd7ff",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#d7d7d7",
        "block-cursor-blurred-foreground": "#000000",
        "block-hover-background": "#ffffff",
        "input-selection-background": "#87d7ff",
    },
)

THEMES = (DARK, LIGHT)
