"""Names and texts in several languages."""

from collections.abc import Mapping
from typing import Annotated

import strawberry

from gateway.graph.fields import list_of, resolver

FALLBACK_LANGUAGE = "en"


@strawberry.federation.type(shareable=True, description="A text in one language.")
class Translation:
    """One entry of a localized text."""

    language: str = strawberry.field(description='BCP 47 tag, such as "hi".')
    text: str = strawberry.field(description="The text in that language.")


@strawberry.federation.type(shareable=True, description="A name in several languages.")
class LocalizedText:
    """A text by language; English is always there."""

    by_language: strawberry.Private[Mapping[str, str]]

    @resolver("The text in a language, or in English where there is none.")
    def text(
        self,
        language: Annotated[str | None, strawberry.argument(description="BCP 47 tag.")] = "en",
    ) -> str:
        """The text in a language or the fallback; an unnamed thing has an empty name."""
        found = self.by_language.get(language or FALLBACK_LANGUAGE)
        return self.by_language.get(FALLBACK_LANGUAGE, "") if found is None else found

    @resolver("All languages, by tag.", directives=list_of(10))
    def translations(self) -> list[Translation]:
        """Every language that there is, in the order of the tags."""
        return translations(self.by_language)


def translations(by_language: Mapping[str, str]) -> list[Translation]:
    """A map of texts as a list, in the order of the tags."""
    return [Translation(language=tag, text=text) for tag, text in sorted(by_language.items())]
