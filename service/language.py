"""The words of the pages in the site's language: its catalogue, and how it writes numbers, dates and plurals."""

import datetime
import io
from gettext import GNUTranslations

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from service import resources

SOURCE = "en"  # the language in which the words stand in the code and the templates
SAMPLES = (*range(200), 1_000_000)  # among these every language has a number of each plural category


class Language:
    """A language of which there is a catalogue, languages/{name}.po; the catalogue's head names its locale."""

    def __init__(self, name: str) -> None:
        with (resources.LANGUAGES / f"{name}.po").open("rb") as file:
            catalog = read_po(file)
        assert catalog.locale is not None
        self._known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalog}
        compiled = io.BytesIO()
        write_mo(compiled, catalog)
        compiled.seek(0)
        self.name = name
        self.locale = catalog.locale
        self.translations = GNUTranslations(compiled)
        self.gettext = self.translations.gettext
        self.ngettext = self.translations.ngettext
        self.number(0)  # reads the locale's data: later there may be no file descriptor left for it

    def knows(self, words: str) -> bool:
        """Whether it can say this, which is said in English, in its own words."""
        return self.name == SOURCE or words in self._known

    def number(self, number: int) -> str:
        """A number with its digits in groups."""
        return format_decimal(number, locale=self.locale)

    def day(self, at: datetime.date) -> str:
        """A date with the month's name, as in bylines."""
        return format_date(at, "long", locale=self.locale)

    def plural(self, one: str, many: str) -> dict[str, str]:
        """The form for each plural category of CLDR that this language has, of which Intl.PluralRules picks one."""
        forms: dict[str, str] = {}
        for number in SAMPLES:
            forms.setdefault(self.locale.plural_form(number), self.ngettext(one, many, number))
        return forms
