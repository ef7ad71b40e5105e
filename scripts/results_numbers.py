"""The numbers of results/*.json as text: claims name them, with errors in units of the last digits."""

import math
import string
from collections.abc import Iterator, Mapping
from typing import Any


class Number:
    """A number with its standard error; formatted as ``2.772(19)``, or as asked for without the error."""

    def __init__(self, value: float, error: float) -> None:
        self.value, self.error = value, error

    def __format__(self, spec: str) -> str:
        if spec:
            return format(self.value, spec)
        if not self.error > 0.0:
            return f"{self.value:g}"
        # two digits of the error below 30, else one
        exponent = math.floor(math.log10(self.error))
        leading = self.error / 10.0**exponent
        decimals = max(0, -exponent + (round(leading, 1) < 3.0))
        return f"{self.value:.{decimals}f}({round(self.error * 10**decimals)})"

    def __str__(self) -> str:
        return format(self)


class Table:
    """Rows of numbers: by label, by number, the first and the last."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __getitem__(self, key: Any) -> Any:
        # a label may be a number
        by_label = isinstance(self._rows, dict) and isinstance(key, int)
        return wrapped(self._rows[str(key) if by_label else key])

    @property
    def first(self) -> Any:
        """The first row."""
        return wrapped(self._ordered()[0])

    @property
    def last(self) -> Any:
        """The last row."""
        return wrapped(self._ordered()[-1])

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def _ordered(self) -> list[Any]:
        return list(self._rows.values()) if isinstance(self._rows, dict) else self._rows


class Run:
    """A result; its tables are attributes."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.result = result

    def __getattr__(self, name: str) -> Table:
        try:
            return Table(self.result["tables"][name.replace("_", " ")])
        except KeyError:
            pass
        try:
            return Table(self.result["tables"][name])
        except KeyError:
            raise AttributeError(f"{self.result['run']} has no table {name}") from None


def value_of(number: Any) -> float:
    """Return a number without its error."""
    return float(number["value"] if isinstance(number, dict) else number)


def wrapped(value: Any) -> Any:
    """Return a number with its error as a :class:`Number`, rows as a :class:`Table`."""
    if isinstance(value, dict):
        if value.keys() == {"value", "error"}:
            return Number(value["value"], value["error"])
        return Table(value)
    return Table(value) if isinstance(value, list) else value


def fill(template: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a text with ``{run.table[row][column]}`` replaced by numbers; format specifications as usual.

    A list counts ``.first`` and ``.last`` as rows; blanks in a table's name are written ``_``.
    """
    try:
        return template.format(**{name: Run(result) for name, result in results.items()})
    except (KeyError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise SystemExit(f"no such number in results/: {error!r} in {template!r}") from None


def runs_in(template: str) -> Iterator[str]:
    """Yield the names of the runs in a template."""
    for _, field, _, _ in string.Formatter().parse(template):
        if field:
            yield field.split(".", 1)[0]
