"""Which layout a shop's tables have, told by the names of their columns and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from custseg_duck.errors import InputError, MissingColumnError
from custseg_duck.statements import folded

REQUIRED_COLUMNS = ("customer_id", "order_id", "product_id")
OPTIONAL_COLUMNS = (
    "ordered_at",
    "quantity",
    "amount",
    "department",
    "category",
    "product_name",
    "order_number",
    "days_since_prior_order",
    "discount",
    "is_return",
)
CANONICAL_COLUMNS = REQUIRED_COLUMNS + OPTIONAL_COLUMNS

# Other names that mean the same in every shop we know of, as `fold` writes them. What is left out
# on purpose: item_id (often the line), price (of one or of all), value, name, time.
SYNONYMS = {
    "customer_id": ("householdid", "householdkey", "userid"),
    "order_id": ("basketid", "transactionid", "invoiceno", "invoice"),
    "product_id": ("stockcode", "articleid", "sku"),
    "ordered_at": ("orderdate", "invoicedate", "transactiontimestamp", "transactiondate", "date"),
    "quantity": ("qty",),
    "amount": ("salesvalue",),
    "department": ("departmentname",),
    "category": ("productcategory", "categoryname", "aisle"),
    "product_name": ("description",),
    "category_id": ("aisleid",),
}
INVOICE_NUMBERS = ("invoiceno", "invoice")
# Instacart's lines come in two tables, which these columns show to be parts of one
CART_COLUMNS = {"addtocartorder", "reordered"}

# What each kind of table may give, its key first
COLUMNS = {
    "lines": (*CANONICAL_COLUMNS, "unit_price", "invoice_number", "time_text"),
    "orders": (
        "order_id",
        "customer_id",
        "ordered_at",
        "order_number",
        "days_since_prior_order",
        "time_text",
    ),
    "products": (
        "product_id",
        "product_name",
        "department",
        "category",
        "department_id",
        "category_id",
    ),
    "departments": ("department_id", "department"),
    "categories": ("category_id", "category"),
}
# Which role has the key of another in its rows
REFERRING = {
    "orders": "lines",
    "products": "lines",
    "departments": "products",
    "categories": "products",
}
LABELS = {"departments": "department", "categories": "category"}


@dataclass(frozen=True)
class Table:
    """A table of the source."""

    name: str
    relation: str  # SQL that reads it
    columns: Mapping[str, str]  # name to type
    label: str  # what it is, for people


@dataclass(frozen=True)
class Part:
    """A table in its role, and which of its columns are read: canonical name to its own."""

    table: Table
    chosen: dict[str, str]

    @property
    def for_layouts(self) -> dict[str, str]:
        """``chosen`` as ``COLUMNS`` has it for the layouts: times that are text stand apart."""
        time = self.chosen.get("ordered_at")
        if time is None or self.table.columns[time] != "VARCHAR":
            return self.chosen
        return {
            "time_text" if ours == "ordered_at" else ours: theirs
            for ours, theirs in self.chosen.items()
        }


@dataclass(frozen=True)
class Layout:
    """What becomes of a source's tables.

    Attributes
    ----------
    lines : list of Part
        The order lines; more than one only if they are parts of one table.
    joined : dict
        Role to the part that is joined: orders, products, departments, categories.
    order : str
        Where the order of a line comes from: the statement in ``sql/layouts``, which is
        ``"wide"``, ``"visits"`` or ``"orders"``.
    columns : list of str
        The canonical columns that come of it.
    explanation : str
        What was recognised, in words; empty if all was named as it is here.
    """

    lines: list[Part]
    joined: dict[str, Part]
    order: str
    columns: list[str]
    explanation: str

    @property
    def is_plain(self) -> bool:
        """Whether the lines have all columns as they are, so that a projection is enough."""
        first = self.lines[0].chosen
        derived = self.joined or {"unit_price", "invoice_number"} & set(first)
        return len(self.lines) == 1 and self.order == "wide" and not derived


def fold(name: str) -> str:
    """``name`` without case, spaces and underscores."""
    return re.sub(r"[\s_]", "", name).casefold()


def recognise(tables: Sequence[Table], columns: Mapping[str, str]) -> Layout:
    """The layout of ``tables``; ``columns`` maps canonical names to theirs, and wins.

    Raises
    ------
    InputError
        If there are no order lines, or a table or column could be one of several.
    MissingColumnError
        If the order lines lack columns that nothing else gives.
    """
    columns = {ours: theirs for ours, theirs in columns.items() if theirs is not None}
    _check_mapping(tables, columns)
    candidates = [_Candidates(table, columns) for table in tables]
    by_role: dict[str, list[_Candidates]] = {}
    for candidate in candidates:
        role = "lines" if len(tables) == 1 else _role(set(candidate.found))
        by_role.setdefault(role, []).append(candidate)
    return _Recognition(by_role, columns).layout()


def described(tables: Sequence[Table]) -> str:
    """Every table with its columns, for error messages."""
    return "; ".join(
        f"{table.name} ({', '.join(table.columns) or 'no columns'})" for table in tables
    )


@dataclass
class _Candidates:
    """Which columns of a table may be which canonical one."""

    table: Table
    mapping: Mapping[str, str]
    found: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        names = {ours for columns in COLUMNS.values() for ours in columns}
        found = {ours: self._meant_by(ours) for ours in names}
        self.found = {ours: theirs for ours, theirs in found.items() if theirs}
        self._add_invoice_columns()

    def _meant_by(self, ours: str) -> list[str]:
        by_folded = {folded(name): name for name in self.table.columns}
        mapped = {folded(theirs) for theirs in self.mapping.values()}
        for exact in (folded(self.mapping.get(ours, ours)), ours):
            if exact in by_folded:
                return [by_folded[exact]]
        meaning = {fold(ours), *SYNONYMS.get(ours, ())}
        return [
            name
            for name in self.table.columns
            if fold(name) in meaning and folded(name) not in mapped
        ]

    def _add_invoice_columns(self) -> None:
        """An invoice's number may say that it is a return, and its price is that of one unit."""
        numbers = [name for name in self.found.get("order_id", ()) if fold(name) in INVOICE_NUMBERS]
        if not numbers:
            return
        self.found["invoice_number"] = numbers
        prices = [name for name in self.table.columns if fold(name) == "price"]
        if prices and "unit_price" not in self.found:
            self.found["unit_price"] = prices

    def choose(self, wanted: Sequence[str]) -> dict[str, str]:
        """The column for each of ``wanted`` that is there."""
        return {ours: self._one(ours) for ours in wanted if ours in self.found}

    def _one(self, ours: str) -> str:
        theirs = self.found[ours]
        if len(theirs) > 1:
            raise InputError(
                f"{ours} must be one column of {self.table.name}, got {len(theirs)} that may be "
                f"it: {', '.join(theirs)}. Say which: columns={{{ours!r}: {theirs[0]!r}}} "
                f"(--map {ours}={theirs[0]}) [ambiguous-column]"
            )
        return theirs[0]


def _role(found: set[str]) -> str:
    """What a table with these columns is, among several."""
    if "product_id" in found:
        if found & {"order_id", "customer_id"}:
            return "lines"
        return "products" if found & set(COLUMNS["products"][1:]) else ""
    if {"order_id", "customer_id"} <= found:
        return "orders"
    if {"category_id", "category"} <= found:
        return "categories"
    return "departments" if {"department_id", "department"} <= found else ""


def _check_mapping(tables: Sequence[Table], columns: Mapping[str, str]) -> None:
    unknown = [name for name in columns if name not in CANONICAL_COLUMNS]
    if unknown:
        raise InputError(
            f"columns must map names among {', '.join(CANONICAL_COLUMNS)}, got "
            f"{', '.join(unknown)} [option]"
        )
    known = {folded(name) for table in tables for name in table.columns}
    absent = [theirs for theirs in columns.values() if folded(theirs) not in known]
    if not absent:
        return
    place, there = "the source's tables", described(tables)
    if len(tables) == 1:
        place, there = tables[0].name, ", ".join(tables[0].columns)
    raise InputError(
        f"columns must map to columns of {place}, got {', '.join(absent)}; there "
        f"are {there} [missing-column]"
    )


class _Recognition:
    """Puts the tables together, role by role, and says what it does."""

    def __init__(
        self, by_role: Mapping[str, list[_Candidates]], mapping: Mapping[str, str]
    ) -> None:
        self._by_role = by_role
        self._mapping = mapping
        self._n_tables = sum(len(candidates) for candidates in by_role.values())

    def layout(self) -> Layout:
        lines = self._lines()
        has = {ours for candidate in lines for ours in candidate.found}
        joined = self._joined_orders(has) | self._joined_products(has)
        has |= {ours for part in joined.values() for ours in part.chosen}
        order = "orders" if "orders" in joined else "wide" if "order_id" in has else "visits"
        self._require(lines[0].table, has)
        wanted = [
            ours
            for ours in COLUMNS["lines"]
            if ours != "unit_price" or ("quantity" in has and "amount" not in has)
        ]
        parts = [Part(candidate.table, candidate.choose(wanted)) for candidate in lines]
        if order == "visits":
            has |= {"order_id"}
        if "unit_price" in parts[0].chosen:
            has |= {"amount"}
        if "invoice_number" in parts[0].chosen:
            has |= {"is_return"}
        found = [ours for ours in CANONICAL_COLUMNS if ours in has]
        return Layout(parts, joined, order, found, self._explain(parts, joined, order, has))

    def _lines(self) -> list[_Candidates]:
        lines = self._by_role.get("lines", [])
        tables = [candidate.table for candidate in lines]
        if not lines:
            everything = [
                candidate.table for group in self._by_role.values() for candidate in group
            ]
            raise InputError(
                "source must have a table of order lines, with product_id and with order_id or "
                f"customer_id, got {described(everything)}. Columns of other names can be mapped: "
                "columns={'product_id': 'your_column'} (--map product_id=your_column) "
                "[missing-column]"
            )
        are_parts = all({fold(name) for name in t.columns} >= CART_COLUMNS for t in tables)
        if len(lines) > 1 and not are_parts:
            raise InputError(
                f"source must have one table of order lines, got {len(lines)} that may be it: "
                f"{described(tables)}. Pass only the tables that are meant, and parts of one table "
                "as one: 'folder/*.parquet' [ambiguous-table]"
            )
        return lines

    def _only(self, role: str) -> _Candidates | None:
        candidates = self._by_role.get(role, [])
        if len(candidates) > 1:
            raise InputError(
                f"source must have one table of {role}, got {len(candidates)} that may be it: "
                f"{described([candidate.table for candidate in candidates])}. "
                "Pass only the tables that are meant [ambiguous-table]"
            )
        return candidates[0] if candidates else None

    def _joined_orders(self, has: set[str]) -> dict[str, Part]:
        orders = self._only("orders")
        if orders is None or "order_id" not in has:
            return {}
        lacking = [ours for ours in COLUMNS["orders"] if ours not in has and ours in orders.found]
        if not lacking:
            return {}
        return {"orders": Part(orders.table, orders.choose(["order_id", *lacking]))}

    def _joined_products(self, has: set[str]) -> dict[str, Part]:
        products = self._only("products")
        if products is None:
            return {}
        joined = {}
        wanted = [ours for ours in ("product_name", *LABELS.values()) if ours not in has]
        given = [ours for ours in wanted if ours in products.found]
        for role, label in LABELS.items():
            key = COLUMNS[role][0]
            if label not in wanted or label in given or key not in products.found:
                continue
            if described_in := self._only(role):
                joined[role] = Part(described_in.table, described_in.choose(COLUMNS[role]))
                given.append(key)
        if given:
            joined["products"] = Part(products.table, products.choose(["product_id", *given]))
        return joined

    def _require(self, lines: Table, has: set[str]) -> None:
        missing = [ours for ours in REQUIRED_COLUMNS if ours not in has]
        if missing and (missing != ["order_id"] or "ordered_at" not in has):
            raise MissingColumnError(lines.name, missing, list(lines.columns))

    def _explain(
        self, lines: list[Part], joined: dict[str, Part], order: str, has: set[str]
    ) -> str:
        chosen = lines[0].chosen
        clauses = [self._tables_in_words(lines, joined), self._columns_in_words(chosen, joined)]
        if order == "visits":
            clauses.append("no order id: what a customer bought on one day is an order")
        if "unit_price" in chosen:
            clauses.append(f"amount is {chosen['quantity']} * {chosen['unit_price']}")
        if "invoice_number" in chosen:
            clauses.append(f"{chosen['invoice_number']} like C536379 is a return")
            if "time_text" in lines[0].for_layouts:
                clauses.append(f"{chosen['ordered_at']} like 12/31/2010 8:26 is month/day/year")
        if "orders" in joined and "ordered_at" not in has:
            clauses.append("no dates: time is order_number and days_since_prior_order")
        read = {part.table.name for part in (*lines, *joined.values())}
        unread = [
            candidate.table.name
            for group in self._by_role.values()
            for candidate in group
            if candidate.table.name not in read
        ]
        if unread:
            clauses.append(f"not read: {', '.join(unread)}")
        return "; ".join(clause for clause in clauses if clause)

    def _tables_in_words(self, lines: list[Part], joined: dict[str, Part]) -> str:
        if self._n_tables == 1:
            return ""
        words = "order lines of " + " and ".join(part.table.label for part in lines)
        joins = [
            f"{joined[role].table.label} on {_key_in_words(lines[0], joined[role], role)}"
            for role in ("orders", "products")
            if role in joined
        ]
        return words + (" joined to " + " and to ".join(joins) if joins else "")

    def _columns_in_words(self, chosen: dict[str, str], joined: dict[str, Part]) -> str:
        """Where every column is from that is not in the lines under its own name."""
        words = {
            ours: f"{ours} from {theirs}"
            for ours, theirs in chosen.items()
            if ours in CANONICAL_COLUMNS and folded(theirs) != ours and ours not in self._mapping
        }
        for role, part in joined.items():
            for ours, theirs in part.chosen.items():
                if ours in CANONICAL_COLUMNS and ours != COLUMNS[role][0]:
                    words[ours] = f"{ours} from {part.table.name}.{theirs}"
        for role, label in LABELS.items():
            if role in joined:
                key = joined["products"].chosen[COLUMNS[role][0]]
                words[label] += f" by {joined['products'].table.name}.{key}"
        return ", ".join(words[ours] for ours in CANONICAL_COLUMNS if ours in words)


def _key_in_words(lines: Part, other: Part, role: str) -> str:
    key = COLUMNS[role][0]
    theirs, others = lines.chosen[key], other.chosen[key]
    return theirs if fold(theirs) == fold(others) else f"{theirs} = {others}"
