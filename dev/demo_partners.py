"""Fill a demo database through the ORM, the same on every run, in ``odoo shell``."""

import random
from collections.abc import Iterator
from typing import Any

FIRST_NAMES = (
    "Ada Alan Aisha Beatriz Bjarne Carlos Chen Dmitri Edsger Elena Fatima Grace Hana "
    "Hiroshi Ingrid Ivan Jean Joan Kavita Ken Lena Linus Margaret Mei Niklaus Noor "
    "Olga Omar Priya Radia Samir Sofia Tomas Ursula Vint Wanjiru Xavier Yuki Zoe"
)
LAST_NAMES = (
    "Almeida Bakker Castillo Dubois Eriksson Ferrari Garcia Haddad Ivanova Jensen "
    "Kowalski Laurent Moreau Nakamura Okafor Petrov Quispe Rossi Schmidt Tanaka "
    "Usman Virtanen Weber Xu Yilmaz Zhang"
)
FIRST, LAST = FIRST_NAMES.split(), LAST_NAMES.split()
TRADES = ("Bakery", "Cycles", "Foods", "Furniture", "Gardens", "Logistics", "Textiles")
CITIES = {
    "BE": ("Brussels", "Ghent", "Namur"),
    "BR": ("Recife", "Porto Alegre"),
    "DE": ("Berlin", "Leipzig", "Bremen"),
    "ES": ("Bilbao", "Valencia"),
    "FR": ("Lyon", "Nantes", "Lille"),
    "IN": ("Pune", "Jaipur"),
    "JP": ("Osaka", "Sendai"),
    "KE": ("Nairobi", "Kisumu"),
}
FUNCTIONS = ("Buyer", "Director", "Engineer", "Sales")
COMPANIES = 60
PEOPLE = 240

Values = dict[str, Any]


def address(chance: random.Random, countries: dict[str, int]) -> Values:
    """A place that exists, so that grouping by country and city shows something."""
    code = chance.choice(sorted(CITIES))
    return {
        "city": chance.choice(CITIES[code]),
        "country_id": countries[code],
        "street": f"{chance.randint(1, 200)} {chance.choice(LAST)} Street",
        "zip": f"{chance.randint(1000, 99999)}",
    }


def companies(chance: random.Random, countries: dict[str, int]) -> Iterator[Values]:
    """Values of the companies, each under a name of its own."""
    for number in range(COMPANIES):
        name = f"{LAST[number % len(LAST)]} {TRADES[number % len(TRADES)]}"
        host = name.lower().replace(" ", "-")
        yield {
            "name": name,
            "is_company": True,
            "email": f"info@{host}.example.com",
            "website": f"https://{host}.example.com",
            "phone": f"+32 2 555 {number:04d}",
            **address(chance, countries),
        }


def people(
    chance: random.Random, employers: list[int], countries: dict[str, int]
) -> Iterator[Values]:
    """Values of the people; one in six works for nobody."""
    for number in range(PEOPLE):
        first, last = FIRST[number % len(FIRST)], chance.choice(LAST)
        yield {
            "name": f"{first} {last}",
            "email": f"{first}.{last}.{number}@example.com".lower(),
            "function": chance.choice(FUNCTIONS),
            "parent_id": chance.choice(employers) if number % 6 else False,
            **address(chance, countries),
        }


def fill(env: Any) -> None:
    """Create both, companies first."""
    chance = random.Random(20260728)
    found = env["res.country"].search([("code", "in", sorted(CITIES))])
    countries = {country.code: country.id for country in found}
    partners = env["res.partner"].with_context(tracking_disable=True)
    employers = partners.create(list(companies(chance, countries)))
    partners.create(list(people(chance, employers.ids, countries)))


fill(env)  # noqa: F821
