"""The price of a server, and the monthly cap of an engine."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dubbing.documents import Model
from dubbing.engines.usage import money

HOUR = 3600.0
MONEY = re.compile(r"(?P<amount>\d{1,9}(\.\d{1,6})?) (?P<currency>[A-Z]{3})")
PRICE = re.compile(MONEY.pattern + r"/(?P<per>h|month)")


class Money(Model):
    """An amount of money."""

    amount: float = Field(ge=0)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    """By ISO 4217: CNY, USD."""

    def __str__(self) -> str:
        return money(self.amount, self.currency)


class Price(Money):
    """The price of one server."""

    per: Literal["h", "month"]
    """Per hour or per month. A monthly price does not depend on lines, so lines have no share."""

    def __str__(self) -> str:
        return f"{self.amount:.10g} {self.currency}/{self.per}"

    def cost(self, seconds: float) -> Money | None:
        """Return the cost of ``seconds`` of the server; None for a price per month."""
        if self.per != "h":
            return None
        return Money(amount=self.amount * seconds / HOUR, currency=self.currency)


def price_in(text: object) -> object:
    """Return the fields of a price such as ``1.98 CNY/h``; raises ValueError for other text."""
    return _read(PRICE, text, "1.98 CNY/h or 1200 CNY/month")


def money_in(text: object) -> object:
    """Return the fields of an amount such as ``200 CNY``; raises ValueError for other text."""
    return _read(MONEY, text, "200 CNY")


def _read(pattern: re.Pattern[str], text: object, example: str) -> object:
    if not isinstance(text, str):
        return text
    if found := pattern.fullmatch(text):
        return found.groupdict()
    raise ValueError(f"write it as {example}")
