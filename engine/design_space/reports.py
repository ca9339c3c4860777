"""stub"""

from engine.design_space.exploration import Exploration


def text(e: Exploration) -> str:
    """Stub."""
    return "\n".join(map(str, e.trials))


json = csv = md = html = text
