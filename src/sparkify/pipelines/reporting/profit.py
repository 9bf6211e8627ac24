"""What contacts would have gained on the hold-out, in dollars."""

from typing import Any

import pandas as pd

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Block, Column, Picture, Pictures, Table, Text


def profit(plan: dict[str, Any], table: pd.DataFrame, figure: bytes) -> tuple[Block, ...]:
    """Say what contacting the likeliest to leave would have gained, beside other ways to choose.

    Args:
        plan: `contact_plan`, dollars.
        table: `contact_profit`, one row per number of customers contacted.
        figure: the PNG of `profit_figure`.
    """
    return (
        Text(_worth(plan)),
        _profit_table(plan, table),
        Pictures((Picture(figure, _profit_shown(plan)),)),
    )


def _worth(plan: dict[str, Any]) -> str:
    used, best = plan["in_use"], plan["best"]
    rules = {words.plain(name): rule["profit"] for name, rule in plan["baselines"].items()}
    name = max(rules, key=lambda rule: rules[rule])
    range_of_best = (
        "{} to {}".format(*map(words.count, best["contacted_ci95"]))
        if best["contacted_ci95"]
        else TOO_FEW
    )
    return (
        f"In money: a contact costs {words.dollars(plan['contact_cost'])}, "
        f"{words.share(plan['contact_success'])} of contacted customers who would leave stay, "
        f"and one who stays is worth {words.dollars(plan['kept_customer_value'])} (assumptions, "
        "set in conf/base/parameters/evaluation.yml). Had the customers above the threshold been "
        f"contacted, {words.count(used['contacted'])} of them, that would have gained "
        f"{words.measured(used['profit'], 'dollars')}. The most was to be had from "
        f"{words.count(best['contacted'])} contacts ({range_of_best}): "
        f"{words.measured(best['profit'], 'dollars')}. Contacting everybody would have gained "
        f"{words.dollars(plan['everybody']['profit'])}, and the best simple rule, {name} first, "
        f"at its best number {words.dollars(rules[name])}."
    )


def _profit_table(plan: dict[str, Any], table: pd.DataFrame) -> Table:
    tenths = [round(plan["customers"] * tenth / 10) for tenth in range(1, 11)]
    wanted = {plan["best"]["contacted"], plan["in_use"]["contacted"]}
    nearest = {int(table["contacted"].sub(number).abs().argmin()) for number in tenths}
    shown = table[table["contacted"].isin(wanted) | table.index.isin(nearest)]
    rules = list(plan["baselines"])
    notes = {plan["best"]["contacted"]: "most profit"}
    notes[plan["in_use"]["contacted"]] = "threshold in use"
    return Table(
        "Profit by number of customers contacted, the likeliest to leave first",
        (
            *[Column("Contacted"), Column("By the forecast"), Column("At random")],
            *(Column(f"{words.sentence_case(name)} first") for name in rules),
            Column("Note", "text"),
        ),
        tuple(
            (
                words.count(row["contacted"]),
                words.interval(row["profit"], row["profit_low"], row["profit_high"], "dollars"),
                words.dollars(row["at_random"]),
                *(words.dollars(row[name]) for name in rules),
                notes.get(int(row["contacted"]), ""),
            )
            for row in shown.to_dict("records")
        ),
        folded=True,
    )


def _profit_shown(plan: dict[str, Any]) -> str:
    return (
        "Profit curve: dollars gained by number of customers contacted, with its 95 % interval. "
        f"Most at {words.count(plan['best']['contacted'])} contacts, "
        f"{words.measured(plan['best']['profit'], 'dollars')}."
    )
