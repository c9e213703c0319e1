"""What association_rules promises, in plain Python: written from its definitions, without its SQL.

Slow and literal on purpose: fractions of whole numbers, made floats at the end. ``None`` is NULL.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import chain, combinations

import oracles
from oracles import Itemset, Row

Rule = tuple[Itemset, Itemset]
Rules = dict[Rule, Row]

Z_95 = 1.959963984540054


# --- a rule alone --------------------------------------------------------------------------------


def measures(n: int, a: int, c: int, b: int) -> Row:
    """Every measure of a rule that needs no other rule.

    Of ``n`` orders ``a`` hold the antecedents, ``c`` the consequents and ``b`` both.
    """
    p, q = Fraction(b, a), Fraction(c, n)
    # the table: both, antecedents alone, consequents alone, neither
    without, other, neither = a - b, c - b, n - a - c + b
    agree, disagree = b * neither, without * other
    spread = a * c * (n - a) * (n - c)
    quantile = hyper_quantile(n, a, c)
    low, high = wilson(b, a)
    return oracles.measures(b, a, c, n) | {
        "all_confidence": b / max(a, c),
        "added_value": float(p - q),
        "certainty": float(certainty(p, q)),
        "imbalance": abs(a - c) / (a + c - b),
        "phi": (n * b - a * c) / math.sqrt(spread) if spread else None,
        "chi_square": float(Fraction(n * (n * b - a * c) ** 2, spread)) if spread else None,
        "odds_ratio": share(agree, disagree),
        "yules_q": (agree - disagree) / (agree + disagree) if agree + disagree else None,
        "hyper_lift": b / quantile if quantile else math.inf,
        "confidence_low": low,
        "confidence_high": high,
        "p_value": float(fisher_p_value(n, a, c, b)),
    }


def share(part: int, of: int) -> float | None:
    """A division by 0 is infinite, and that of 0 unknown."""
    if of:
        return part / of
    return math.inf if part else None


def certainty(p: Fraction, q: Fraction) -> Fraction:
    """By how much the antecedents change the doubt, or the belief, in the consequents."""
    if p == q:
        return Fraction(0)
    return (p - q) / (1 - q if p > q else q)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The shares that are within 1.96 of their own standard errors of the share observed.

    Those are the two roots s of (share - s)^2 = z^2 s (1 - s) / trials.
    """
    observed, z2 = successes / trials, Z_95**2
    centre = observed + z2 / (2 * trials)
    reach = Z_95 * math.sqrt(observed * (1 - observed) / trials + z2 / (4 * trials**2))
    return (centre - reach) / (1 + z2 / trials), (centre + reach) / (1 + z2 / trials)


# --- the hypergeometric distribution -------------------------------------------------------------


def ways(n: int, a: int, c: int, x: int) -> int:
    """In how many ways ``c`` of ``n`` orders hold ``x`` of the ``a``."""
    return math.comb(a, x) * math.comb(n - a, c - x) if x <= c and c - x <= n - a else 0


@cache
def fisher_p_value(n: int, a: int, c: int, b: int) -> Fraction:
    """P(X >= b): the share of the ways in which at least so many orders hold both."""
    return Fraction(sum(ways(n, a, c, x) for x in range(b, min(a, c) + 1)), math.comb(n, c))


@cache
def hyper_quantile(n: int, a: int, c: int, level: Fraction = Fraction(99, 100)) -> int:
    """The smallest q with P(X <= q) >= level."""
    at_most = 0
    for q in range(min(a, c) + 1):
        at_most += ways(n, a, c, q)
        if Fraction(at_most, math.comb(n, c)) >= level:
            return q
    raise AssertionError


def fisher_p_value_of_many(n: int, a: int, c: int, b: int) -> float:
    """P(X >= b) where whole numbers would be too long: P(X = b) times the sum of ratios to it."""
    first, last = max(0, a + c - n), min(a, c)
    if b <= first:
        return 1.0
    if b > last:
        return 0.0
    if b * n <= a * c:  # most of it is above: what is below, from above
        return 1 - probability(n, a, c, b - 1) * sum_of_ratios(n, a, c, b - 1, -1)
    return probability(n, a, c, b) * sum_of_ratios(n, a, c, b, 1)


@cache
def hyper_quantile_of_many(n: int, a: int, c: int) -> int:
    """The smallest q with P(X > q) <= 0.01, by halving."""
    low, high = max(0, a + c - n) - 1, min(a, c)
    while high - low > 1:
        middle = (low + high) // 2
        if fisher_p_value_of_many(n, a, c, middle + 1) <= 0.01:
            high = middle
        else:
            low = middle
    return high


def sum_of_ratios(n: int, a: int, c: int, start: int, step: int) -> float:
    """The sum of P(X = x) / P(X = start) over x from start on, up or down."""
    total, ratio, x = 0.0, 1.0, start
    while ratio > total * 1e-17:
        total += ratio
        if step > 0:
            ratio *= (a - x) * (c - x) / ((x + 1) * (n - a - c + x + 1))
        else:
            ratio *= x * (n - a - c + x) / ((a - x + 1) * (c - x + 1))
        x += step
    return total


def probability(n: int, a: int, c: int, x: int) -> float:
    """P(X = x) by logarithms of factorials to 40 digits."""
    with localcontext(prec=40):
        logarithm = log_ways(a, x) + log_ways(n - a, c - x) - log_ways(n, c)
        return float(logarithm.exp())


def log_ways(n: int, k: int) -> Decimal:
    """ln C(n, k)."""
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k)


@cache
def log_factorial(n: int) -> Decimal:
    """ln n!: of a small number itself, else by Stirling's series, exact to 1e-25 from 300 on."""
    with localcontext(prec=40):
        if n < 300:
            return Decimal(math.factorial(n)).ln()
        exact = Decimal(n)
        terms = ((12, 1), (-360, 3), (1260, 5), (-1680, 7), (1188, 9))
        series = sum(1 / (divisor * exact**power) for divisor, power in terms)
        two_pi = Decimal("6.283185307179586476925286766559005768394338798750")
        return (exact + Decimal("0.5")) * exact.ln() - exact + two_pi.ln() / 2 + series


# --- rules together ------------------------------------------------------------------------------


def association_rules(
    counts: Mapping[Itemset, int],
    n_orders: int,
    min_confidence: str = "0",
    max_antecedents: int | None = None,
    max_consequents: int | None = None,
    *,
    min_antecedents: int = 1,
    min_consequents: int = 1,
    require_antecedents: Collection[str] | None = None,
    forbid_antecedents: Collection[str] | None = None,
    require_consequents: Collection[str] | None = None,
    forbid_consequents: Collection[str] | None = None,
) -> Rules:
    """Every column of every rule, but for the names and the order."""
    items = frozenset(item for itemset in counts if len(itemset) == 1 for item in itemset)
    kept = oracles.association_rules(
        counts, n_orders, min_confidence, max_antecedents, max_consequents
    )
    left = Side(items, require_antecedents, forbid_antecedents)
    right = Side(items, require_consequents, forbid_consequents)
    rules: Rules = {}
    for antecedents, consequents in kept:
        if len(antecedents) < min_antecedents or len(consequents) < min_consequents:
            continue
        if not (left.admits(antecedents) and right.admits(consequents)):
            continue
        sizes = len(antecedents), len(consequents)
        if left.is_free and right.is_free:
            n_tests = math.comb(len(items), sizes[0]) * math.comb(len(items) - sizes[0], sizes[1])
        else:
            n_tests = left.n_sets(sizes[0]) * right.n_sets(sizes[1])
        rules[antecedents, consequents] = rule_of(counts, n_orders, antecedents, consequents) | {
            "n_tests": n_tests
        }
    return adjusted(rules, counts, n_orders)


class Side:
    """Which sets of the frequent items may be on one side of a rule."""

    def __init__(
        self,
        items: Itemset,
        required: Collection[str] | None,
        forbidden: Collection[str] | None,
    ) -> None:
        self.is_free = required is None and forbidden is None
        self.allowed = items - set(forbidden or ())
        self.required = None if required is None else self.allowed & set(required)

    def admits(self, chosen: Itemset) -> bool:
        """Whether no item is forbidden, and one of them required where some are."""
        return chosen <= self.allowed and (self.required is None or bool(chosen & self.required))

    def n_sets(self, size: int) -> int:
        """How many sets of this size there are."""
        without = 0
        if self.required is not None:
            without = math.comb(len(self.allowed - self.required), size)
        return math.comb(len(self.allowed), size) - without


def counts_of(
    counts: Mapping[Itemset, int], n_orders: int, antecedents: Itemset, consequents: Itemset
) -> tuple[int, int, int, int]:
    """The orders; those with the antecedents, the consequents, both. All hold the empty set."""
    a = counts[antecedents] if antecedents else n_orders
    return n_orders, a, counts[consequents], counts[antecedents | consequents]


def rule_of(
    counts: Mapping[Itemset, int], n_orders: int, antecedents: Itemset, consequents: Itemset
) -> Row:
    """The measures of a rule, and those that compare it to rules with fewer antecedents."""
    n, a, c, b = counts_of(counts, n_orders, antecedents, consequents)
    simpler = []
    for fewer in proper_subsets(antecedents):
        _, held, _, both = counts_of(counts, n_orders, fewer, consequents)
        simpler.append(Fraction(both, held))
    improvement = Fraction(b, a) - max(simpler)
    p_values = []
    for item in antecedents:
        # among the orders that hold the others, do those with this one hold more consequents?
        _, others, _, with_others = counts_of(counts, n_orders, antecedents - {item}, consequents)
        p_values.append(fisher_p_value(others, a, with_others, b))
    return measures(n, a, c, b) | {
        "representativity": 1.0,
        "improvement": float(improvement),
        "is_redundant": improvement <= 0,
        "improvement_p_value": float(max(p_values)),
    }


def proper_subsets(items: Itemset) -> list[Itemset]:
    """All of them, the empty one first."""
    chosen = chain.from_iterable(combinations(items, length) for length in range(len(items)))
    return [frozenset(some) for some in chosen]


def adjusted(rules: Rules, counts: Mapping[Itemset, int], n_orders: int) -> Rules:
    """The rules with their p values adjusted for how many there could be of their sizes."""
    families: dict[tuple[int, int], list[Rule]] = defaultdict(list)
    for antecedents, consequents in rules:
        families[len(antecedents), len(consequents)].append((antecedents, consequents))
    for family in families.values():
        n_tests = rules[family[0]]["n_tests"]
        p_values = [
            fisher_p_value(*counts_of(counts, n_orders, antecedents, consequents))
            for antecedents, consequents in family
        ]
        false_discovery = benjamini_hochberg(p_values, n_tests)
        for rule, p_value, bh in zip(family, p_values, false_discovery, strict=True):
            rules[rule]["p_value_bonferroni"] = float(min(Fraction(1), p_value * n_tests))
            rules[rule]["p_value_bh"] = float(bh)
    return rules


def benjamini_hochberg(p_values: Sequence[Fraction], n_tests: int) -> list[Fraction]:
    """Of each, the least p n_tests / rank of those from it on, in order; the others count as 1."""

    def least(values: Iterable[Fraction]) -> Fraction:
        return min(chain(values, [Fraction(1)]))

    ranked = sorted(p_values)
    scaled = [p * n_tests / rank for rank, p in enumerate(ranked, start=1)]
    # of equal ones the last has the highest rank, and so the least: it is in all of their minima
    return [least(scaled[ranked.index(p) :]) for p in p_values]
