"""Charts of what a run left, for notebooks. Needs the extra ``plot``.

Each function reads the database and gives an Altair chart: ``plot.projection(con)`` shows it,
``plot.projection(con).save("projection.png")`` writes it, also as .svg, without a network.
"""

try:
    from custseg_duck.plot.moves import migration
    from custseg_duck.plot.rules import rule_network
    from custseg_duck.plot.scatter import projection
    from custseg_duck.plot.segments import choice_of_k, heat_map, revenue
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("altair", "networkx", "vl_convert"):
        raise
    raise ImportError(
        f"custseg_duck.plot must have Altair, vl-convert and networkx, got none of {error.name}: "
        "pip install 'custseg_duck[plot]'"
    ) from error

__all__ = ["choice_of_k", "heat_map", "migration", "projection", "revenue", "rule_network"]
