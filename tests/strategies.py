"""Hypothesis strategies: units and trees."""

from collections.abc import Sequence

from hypothesis import strategies as st

from services.hierarchy.domain.model import LocalizedText, Place, UnitKey, UnitRow
from tests.builders_hierarchy import LEVELS, numbered

CODES = st.text("ABCxyz019._-", min_size=1, max_size=4)
# Whatever people write in any script, without control characters and not only blanks.
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200).filter(
    lambda word: bool(word.strip())
)
LANGUAGES = st.sampled_from(("hi", "mr", "ta", "zh-Hans", "pt-BR", "es-419", "sl-rozaj"))
NAMES = st.builds(
    lambda english, others: LocalizedText.of({**others, "en": english}),
    WORDS,
    st.dictionaries(LANGUAGES, WORDS, max_size=3),
)
PLACES = st.none() | st.builds(
    Place, st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)
)


@st.composite
def valid_trees(
    draw: st.DrawFn, levels: Sequence[str] = LEVELS, max_units: int = 30
) -> list[UnitRow]:
    """The rows of a forest that a blueprint with these levels takes, in any order.

    Roots are on the highest level; parents are any number of levels above their children.
    """
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(levels), CODES), min_size=1, max_size=max_units, unique=True
        )
    )
    index = {level: place for place, level in enumerate(levels)}
    top = min(index[level] for level, _ in keys)
    rows: list[UnitRow] = []
    for level, code in keys:
        above = [key for key in keys if index[key[0]] < index[level]]
        roots = [("", "")] if index[level] == top else []
        parent = draw(st.sampled_from([*above, *roots]))
        key = UnitKey(level, code)
        rows.append(UnitRow(0, key, draw(NAMES), UnitKey(*parent), draw(PLACES)))
    return numbered(rows)
