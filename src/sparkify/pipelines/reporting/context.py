"""Values that the report's template needs beyond the datasets themselves."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import poisson

from sparkify.formatting.baseline_comparison import (
    TOO_FEW,
    compare_with_baselines,
    list_unbeaten_baselines,
)
from sparkify.ml.reasons import describe_rate, find_level
from sparkify.pipelines.campaigns.movements import ACTIVE, CANCELLED, NEW, QUIET, RETURNED
from sparkify.pipelines.campaigns.retention import EARLIER
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.input_definitions import LOG_PREFIX
from sparkify.pipelines.modelling.model_card import is_same_model
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.modelling.selection import choose_simplest
from sparkify.pipelines.monitoring.drift import format_chance, format_verdict
from sparkify.pipelines.reporting import number_format as text
from sparkify.pipelines.reporting.parameters import ReportingParameters
from sparkify.schemas import feature_columns

RANDOM_AUC = 0.5
CURVE_DAYS = (7, 14)  # shown of the curves, besides the horizon and the last day
RATES_PER_SEGMENT = 3  # rates that describe a segment
NEWEST_WEEKS = 8  # of forecasts and of the customers' movements
MIN_COHORT = 10  # customers; a share of fewer says nothing
DEFAULT_PERIOD = ", whole history"  # the period of a feature without another one
Rows = list[dict[Hashable, Any]]


def describe_forecast(
    score_summary: dict[str, Any],
    contacts: pd.DataFrame,
    metrics: dict[str, Any],
    reporting: ReportingParameters,
) -> dict[str, Any]:
    """Return ranges of the totals, the break-even probability and the first contacts."""
    decision, costs = score_summary["decision"], score_summary["contact_costs"]
    value = score_summary["kept_value"] or decision["kept_customer_value"]
    success = decision["contact_success"]
    listed = float(contacts["probability"].sum())
    kept_range = poisson.interval(0.95, success * listed)
    top = contacts.head(reporting.contacts_searchable).to_dict("records")
    reasons = [str(name) for name in contacts if str(name).startswith("reason_for_")]
    return {
        "is_other_model": not is_same_model(score_summary["model"], metrics["champion"]),
        "outcome_words": OUTCOME_WORDS[score_summary["outcome"]],
        "churner_range": poisson.interval(0.95, score_summary["expected_churners"]),
        "listed_churners": listed,
        "listed_range": poisson.interval(0.95, listed),
        "kept": success * listed,
        "kept_range": kept_range,
        "profit_range": [value * stayers - costs for stayers in kept_range],
        "break_even": decision["contact_cost"] / (success * value),
        "contact_rows": [
            row
            | {"why": "; ".join(filter(pd.notna, (row[name] for name in reasons))) or text.UNKNOWN}
            | {"action": row["action"] if pd.notna(row["action"]) else text.UNKNOWN}
            for row in top
        ],
    }


def list_weeks(
    score_summary: dict[str, Any], metrics: dict[str, Any], past_scores: Rows
) -> dict[str, Any]:
    """Return the expected and the actual churners of the newest weeks, the newest last.

    Earlier scores count for the weeks that the metrics do not have.
    """
    evaluated = {row["cutoff"] for row in metrics["weeks"]}
    current = {
        **{name: score_summary[name] for name in ("cutoff", "customers")},
        **{"expected": score_summary["expected_churners"], "churned": None},
    }
    earlier = [row for row in past_scores if row["cutoff"] not in {*evaluated, current["cutoff"]}]
    weeks = sorted([*metrics["weeks"], *earlier, current], key=lambda row: row["cutoff"])
    weeks = weeks[-NEWEST_WEEKS:]
    longest = max(max(row["expected"], row["churned"] or 0) for row in weeks) or 1
    return {
        "weeks": [
            {
                **{name: row[name] for name in ("cutoff", "customers")},
                "expected": _format_expected(row["expected"]),
                "churned": "not known yet"
                if row["churned"] is None
                else text.format_count(row["churned"]),
                "bars": [row["expected"] / longest, (row["churned"] or 0) / longest],
            }
            for row in weeks
        ]
    }


def _format_expected(expected: float) -> str:
    low, high = map(text.format_count, poisson.interval(0.95, expected))
    return f"{text.format_count(expected)} ({low} to {high})"


def describe_reasons(
    score_summary: dict[str, Any],
    segments: pd.DataFrame,
    inputs: InputParameters,
    actions: Mapping[str, str],
) -> dict[str, Any]:
    """Return a row per main reason and per segment, each with its action.

    `volume_reasons` are those of the most active customers.
    """
    reasons = score_summary["main_reasons"]
    largest, total = max(reasons.values(), default=1), sum(reasons.values())
    rates = _describe_segment_rates(segments, inputs)
    volume = [rate.more for rate in inputs.every_rate.values() if rate.group == "volume"]
    return {
        "reason_rows": [
            {
                **{"label": label, "customers": customers, "share": customers / total},
                **{"bars": [customers / largest], "action": actions.get(label, text.UNKNOWN)},
            }
            for label, customers in reasons.items()
        ],
        "volume_reasons": [label for label in reasons if label in volume],
        "segment_rows": [
            row
            | {"rate": row["expected_churners"] / row["customers"]}
            | {"rates": rates.get(row["segment"], text.UNKNOWN)}
            | {"action": actions.get(row["segment"], text.UNKNOWN)}
            for row in score_summary["segments"]
        ],
    }


def describe_quality(
    metrics: dict[str, Any], contact_plan: dict[str, Any], contact_profit: pd.DataFrame
) -> dict[str, Any]:
    """Return the metrics by column heading, the candidates and the profit table."""
    evaluated = {
        "All customers": metrics["holdout"],
        "Out of fold": metrics.get("out_of_fold"),
        "Held-out users": metrics["held_out_users"],
        "Base rate for all": metrics["baselines"].get("base_rate"),
    }
    rules = [name for name in metrics["baselines"] if name != "base_rate"]
    evaluated |= {text.format_rule(name).capitalize(): metrics["baselines"][name] for name in rules}
    gains = metrics["gain_over_baselines"]
    candidates = pd.DataFrame(metrics["candidates"])
    chosen = choose_simplest(candidates)
    errors = {
        name: text.format_with_errors(*candidates[[name, f"{name}_error"]].T.to_numpy().tolist())
        for name in ("average_precision", "behind")
    }
    return {
        "evaluated": {name: figures for name, figures in evaluated.items() if figures},
        "baseline_comparison": compare_with_baselines(gains, text.format_difference),
        "unbeaten": [text.format_rule(name) for name in list_unbeaten_baselines(gains)],
        "candidates": candidates.assign(
            precision=errors["average_precision"],
            behind=np.where(candidates["behind"] == 0, "the best", errors["behind"]),
            note=np.where(candidates["trial"] == chosen, "chosen", ""),
        ).to_dict("records"),
        "profit_rows": _list_profit_rows(contact_plan, contact_profit),
        "profit_curve": contact_profit[["contacted", "churned", "probability"]]
        .round({"probability": 5})
        .to_numpy()
        .tolist(),
        "slider_limits": {
            "cost": round(10 * contact_plan["contact_cost"], 1),
            "value": round(5 * contact_plan["kept_customer_value"]),
        },
    }


def _list_profit_rows(plan: dict[str, Any], profit: pd.DataFrame) -> Rows:
    """Return a row per tenth of the customers, for the threshold in use and for the most profit."""
    tenths = [round(plan["customers"] * tenth / 10) for tenth in range(1, 11)]
    nearest = {int(profit["contacted"].sub(number).abs().argmin()) for number in tenths}
    notes = {plan["best"]["contacted"]: "most profit"}
    notes[plan["in_use"]["contacted"]] = "threshold in use"
    selected = profit[profit["contacted"].isin(notes) | profit.index.isin(nearest)]
    profits = [text.read_metric(row, "profit") for row in selected.to_dict("records")]
    return selected.assign(
        profit=[text.format_metric(one, "dollars") for one in profits],
        note=selected["contacted"].map(notes).fillna(""),
    ).to_dict("records")


def describe_drivers(
    feature_weights: pd.DataFrame,
    segments: pd.DataFrame,
    inputs: InputParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Return one row per input, with its meaning.

    The weight of an input times the moderator is in the row of the input.
    """
    meanings = _describe_inputs(inputs, feature_engineering)
    meanings |= {
        f"segment_{row['segment']}": f"Probability of the segment “{row['name']}”"
        for row in segments.to_dict("records")
    }
    parts = feature_weights["feature"].str.partition(", ")
    weights = feature_weights.assign(name=parts[0].str.removeprefix(LOG_PREFIX), moderator=parts[2])
    is_product = weights["moderator"] != ""
    products = weights[is_product].pivot(index="name", columns="moderator", values="weight")
    top = weights.head(5).to_dict("records")
    return {
        "weight_kind": weights["kind"].iloc[0],
        "top_inputs": [(_format_input_name(row), row["weight"]) for row in top],
        "input_count": weights["name"].nunique(),
        "moderators": list(products),
        "input_rows": (
            weights[~is_product]
            .join(products, on="name")
            .assign(meaning=lambda rows: rows["name"].map(meanings).fillna(text.UNKNOWN))
            .to_dict("records")
        ),
    }


def _format_input_name(row: Mapping[Hashable, Any]) -> str:
    return text.format_name(
        f"{row['name']}, times {row['moderator']}" if row["moderator"] else row["name"]
    )


def _describe_inputs(
    inputs: InputParameters, feature_engineering: FeatureEngineeringParameters
) -> dict[str, str]:
    """Return what each input means, from the descriptions of the features it is computed from."""
    columns = feature_columns(
        feature_engineering.pages,
        feature_engineering.by_level,
        feature_engineering.windowed,
        feature_engineering.windows_days,
    )
    features = {
        column.name: column.meaning.partition(":")[0].removesuffix(".").removesuffix(DEFAULT_PERIOD)
        for column in columns
    }
    if inputs.plain is None:
        return {name: f"{meaning}; logarithm" for name, meaning in features.items()}
    rates = {
        name: (
            f"{features[rate.count]} per {features[rate.per][:1].lower()}{features[rate.per][1:]}, "
            f"shrunk towards the average rate (prior: {rate.prior:g} of these)"
        )
        for name, rate in inputs.rates.items()
    }
    plain = {
        name: features[name] + ("; logarithm" if how.log else "")
        for name, how in inputs.plain.items()
    }
    return rates | plain


def _describe_segment_rates(segments: pd.DataFrame, inputs: InputParameters) -> dict[str, str]:
    """Describe each segment by the rates that differ most from those of all customers."""
    if segments.empty:
        return {}
    rates = segments.drop(columns=["segment", "name", "share", "churned"]).astype(float)
    average = rates.iloc[-1]
    distances = rates.div(average).transform(np.log).abs()
    descriptions = [
        "; ".join(
            describe_rate(
                inputs.get_rate_template(str(name)),
                *(rates.loc[position, name], average[name]),
                find_level(inputs.every_rate[str(name)].per) if name in inputs.every_rate else None,
            )
            for name in distances.loc[position].nlargest(RATES_PER_SEGMENT).index
        ).replace(" %", f"{text.SPACE}%")
        for position in segments.index[:-1]
    ]
    return dict(zip(segments["name"], descriptions, strict=False))  # the last row is all customers


def describe_groups(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return one row per customer group, and which groups are ranked or calibrated worse.

    `ranked_worse`: the 95 % interval of the AUC's difference to all customers is below 0.
    `unranked`: too few churned for an AUC whose interval excludes a random ranking.
    `miscalibrated`: the 95 % interval of churn rate minus mean forecast excludes 0.
    """
    groups = group_metrics.assign(
        name=group_metrics["group"].map(text.format_name) + " " + group_metrics["value"]
    )
    aucs = [text.read_metric(row, "auc") for row in groups.to_dict("records")]
    overall, *formatted = text.format_metrics([metrics["holdout"].get("auc"), *aucs])
    has_auc = groups["auc"].notna()
    is_worse = groups["auc_difference_high"] < 0
    is_unranked = groups["auc_low"].isna() | ((groups["auc_low"] <= RANDOM_AUC) & ~is_worse)
    is_miscalibrated = (groups["calibration_gap_low"] > 0) | (groups["calibration_gap_high"] < 0)
    calibration = groups["expected_calibration_error"].map(text.format_share)
    rows = groups.assign(
        auc=np.where(has_auc, formatted, TOO_FEW),
        expected_calibration_error=np.where(has_auc, calibration, TOO_FEW),
    )
    holdout = metrics["holdout"]
    everyone = {
        **{name: holdout[name] for name in ("users", "churned", "base_rate")},
        **{"name": "all customers", "mean_probability": None, "auc": overall},
        "expected_calibration_error": text.format_share(
            holdout.get("expected_calibration_error", {}).get("value")
        ),
    }
    worse = groups[is_worse].sort_values("auc").to_dict("records")
    return {
        "group_rows": [everyone, *rows.to_dict("records")],
        "ranked_worse": [
            f"{row['name']}, AUC {text.format_metrics([text.read_metric(row, 'auc')])[0]}, "
            f"{text.format_difference(text.read_metric(row, 'auc_difference') or {})}"
            for row in worse
        ],
        "unranked": groups[is_unranked].to_dict("records"),
        "miscalibrated": groups[is_miscalibrated].to_dict("records"),
        "calibrated_groups": int(groups["calibration_gap_low"].notna().sum()),
    }


def describe_campaigns(campaign_summary: dict[str, Any]) -> dict[str, Any]:
    """Return a row for each finished campaign and group, and the proposed `contact_success`."""
    summary = {"campaigns": [], "groups": [], "programme": [], "waiting": [], **campaign_summary}
    effects = [campaign["effect"] for campaign in summary["campaigns"]]
    if len(effects) > 1:
        effects.append(summary["all"] | {"campaign": "all campaigns"})
    programme = [
        row | {"campaign": f"programme, {row['value']} days"} for row in summary["programme"]
    ]
    groups = [
        row | {"campaign": f"all campaigns, {text.format_name(row['value'])}"}
        for row in summary["groups"]
    ]
    proposal = campaign_summary.get("proposal")
    return {
        "campaign_rows": [_format_effect(row) for row in (*effects, *groups, *programme)],
        "waiting_campaigns": summary["waiting"],
        "compliance_rows": summary["campaigns"],
        "has_campaigns": bool(effects),
        "proposed_success": proposal and _success_metric(proposal, "contact_success", ""),
        "success_in_use": proposal and proposal["in_use"],
        "is_effective": bool(proposal and proposal["is_effective"]),
    }


def _format_effect(row: dict[Hashable, Any]) -> dict[Hashable, Any]:
    """Return counts and the best estimate of a campaign or group, with 95 % intervals."""
    prefix = "adjusted_" if row["adjusted_kept"] is not None else ""
    kept = text.read_metric(row, f"{prefix}kept")
    gain = text.read_metric(row, "gain")
    return {
        "campaign": row["campaign"],
        "contacted": f"{text.format_count(row['churned_contacted'])} of "
        f"{text.format_count(row['contacted'])}",
        "control": f"{text.format_count(row['churned_control'])} of "
        f"{text.format_count(row['control'])}",
        "kept": text.format_metric(kept, "share"),
        "success": text.format_metric(
            _success_metric(row, f"{prefix}success", f"{prefix}success_"), "share"
        ),
        "gain": text.format_metric(gain, "dollars"),
    }


def _success_metric(
    row: Mapping[Any, Any], name: str, bounds: str
) -> dict[str, float | list[float] | None] | None:
    """Return a success rate with its interval; None if unknown."""
    value, low, high = row[name], row[f"{bounds}low"], row[f"{bounds}high"]
    if value is None:
        return None
    return {"value": value, "ci95": None if None in (low, high) else [low, high]}


def describe_losses(
    customer_movements: pd.DataFrame | None, retention: pd.DataFrame | None
) -> dict[str, Any]:
    """Return the movements of the newest weeks, and the retention by sign-up week.

    Both tables are as read from text; None or empty if `campaigns` has not run.
    """
    values: dict[str, Any] = {"movement_rows": [], "retention_rows": [], "retention_weeks": []}
    if customer_movements is not None and len(customer_movements):
        values["movement_rows"] = _list_movements(customer_movements)
    if retention is not None and len(retention):
        values |= _list_cohorts(retention)
    return values


def _list_movements(customer_movements: pd.DataFrame) -> Rows:
    """Return how many customers are active after each of the newest weeks, and moved in it."""
    before, now, week_end = (customer_movements[name] for name in ("before", "now", "week_end"))
    kinds = {
        ACTIVE: now.isin([ACTIVE, RETURNED]),
        **{state: (now == state) & (before != state) for state in (CANCELLED, QUIET, RETURNED)},
        NEW: before == NEW,
    }
    customers = customer_movements["customers"].astype(int)
    weeks = pd.DataFrame(
        {
            name: customers.where(is_kind, 0).groupby(week_end).sum()
            for name, is_kind in kinds.items()
        }
    )
    return weeks.tail(NEWEST_WEEKS).reset_index().to_dict("records")


def _list_cohorts(retention: pd.DataFrame) -> dict[str, Any]:
    """Return a row per sign-up week: the share retained by the number of weeks, and its curve."""
    counts = retention.astype({"weeks": int, "customers": int, "retained": int})
    is_large = counts.groupby("signed_up")["customers"].transform("max") >= MIN_COHORT
    counts = counts[is_large].sort_values(
        ["signed_up", "weeks"], key=lambda values: values.replace(EARLIER, "")
    )
    weeks = sorted(counts["weeks"].unique())
    lowest = (counts["retained"] / counts["customers"]).min()
    rows = []
    for signed_up, cohort in counts.groupby("signed_up", sort=False):
        shares = (cohort["retained"] / cohort["customers"]).tolist()
        by_week = dict(zip(cohort["weeks"], shares, strict=True))
        height = (1 - lowest) or 1
        points = [
            (week / weeks[-1], (share - lowest) / height)
            for week, share in {0: 1.0, **by_week}.items()
        ]
        name = signed_up if signed_up == EARLIER else text.format_day(str(signed_up))
        rows.append(
            {"signed_up": name, "customers": int(cohort["customers"].iloc[0]), "curve": points}
            | {week: by_week.get(week) for week in weeks}
        )
    return {"retention_rows": rows, "retention_weeks": weeks, "min_cohort": MIN_COHORT}


def describe_leaving(
    time_to_leave_summary: pd.DataFrame,
    curve_evaluation: dict[str, Any],
    value_totals: pd.DataFrame,
    score_summary: dict[str, Any],
    metrics: dict[str, Any],
) -> dict[str, Any]:
    """Return the curves by group, their evaluation, and the values by group.

    The evaluation applies if it used the champion's training data. Values are only those that
    follow from prices.
    """
    last_day = int(time_to_leave_summary["day"].max())
    days = sorted({day for day in (*CURVE_DAYS, score_summary["horizon_days"]) if day < last_day})
    days.append(last_day)
    keys = ["grouping", "value", "customers"]
    curves = time_to_leave_summary.pivot(index=keys, columns="day", values="mean")
    fingerprint = metrics["champion"]["training"]["fingerprint"]
    is_evaluated = curve_evaluation.get("fingerprint") == fingerprint
    evaluation = curve_evaluation["rows"] if is_evaluated else []
    values = value_totals[value_totals["remaining_value"].notna()]
    return {
        "last_curve_day": last_day,
        "curve_columns": [(f"Day {day}", day, "share") for day in days],
        "curve_rows": _name_groups(curves[days].reset_index()),
        "median_customers": score_summary["with_median"],
        "curve_evaluation_rows": [
            _format_curve_row(row, evaluation) for row in evaluation if row["predictor"] == "curve"
        ],
        "extrapolated_days": sorted(
            {row["day"] for row in evaluation if row["day"] > row["shown_days"]}
        ),
        "value_rows": [
            row
            | {
                name: text.format_metric(text.read_metric(row, name), "dollars")
                for name in ("remaining_value", "value_at_risk")
            }
            for row in _name_groups(values)
        ],
    }


def _name_groups(table: pd.DataFrame) -> Rows:
    """Return the rows with the `name` of their group; all customers are the first."""
    names = table["value"].where(table["grouping"] != "level", table["value"] + " level")
    return table.assign(name=names.replace("all", "all customers")).to_dict("records")


def _format_curve_row(row: Mapping[Any, Any], rows: Rows) -> dict[Hashable, Any]:
    of_day = {other["predictor"]: other for other in rows if other["day"] == row["day"]}
    predictors = ("curve", "kaplan_meier_of_segment", "kaplan_meier_of_all")
    scores = (text.format_number(of_day[name]["brier"], 3) for name in predictors)
    left = f"{text.format_count(row['left'])} of {text.format_count(row['customers'])}"
    auc = text.format_metric(text.read_metric(row, "auc"))
    return {**row, "left": left, "auc": auc, "brier": ", ".join(scores)}


def describe_monitoring(
    monitoring_summary: dict[str, Any],
    leakage_audit: dict[str, Any],
    metrics: dict[str, Any],
    cutoff: str,
) -> dict[str, Any]:
    """Return whether monitoring and the leakage audit apply, and their results.

    Monitoring applies if it used the scores of this cutoff and this model's metrics. The audit
    applies if it used the champion's training data.
    """
    fingerprint = metrics["champion"]["training"]["fingerprint"]
    has_audit = leakage_audit.get("training", {}).get("fingerprint") == fingerprint
    has_monitoring = bool(monitoring_summary) and (
        monitoring_summary["cutoff"] == cutoff
        and monitoring_summary["holdout"]["auc"] == metrics["holdout"]["auc"]
    )
    values: dict[str, Any] = {
        "has_monitoring": has_monitoring,
        "has_audit": has_audit,
        "audit_alarms": leakage_audit["warnings"] if has_audit else [],
        "drift_alarms": [],
    }
    if has_monitoring:
        limit = monitoring_summary["thresholds"]["psi"]
        drift = [
            row | {"verdict": format_verdict(row, limit)} for row in monitoring_summary["features"]
        ]
        verdicts = [row["verdict"] for row in drift]
        values |= {
            "drift_alarms": [alarm["sentence"] for alarm in monitoring_summary["alarms"]],
            "drift_rows": drift,
            "alarmed_features": sum(row["alarm"] for row in drift),
            "chance_verdict": format_chance(limit),
            "chance_features": verdicts.count(format_chance(limit)),
            "past_scores": _list_past_scores(monitoring_summary["realised"]),
        }
    return values


def _list_past_scores(realised: Rows) -> Rows:
    aucs = [text.read_metric(row, "auc") for row in realised]
    rows = []
    for row, auc, formatted in zip(realised, aucs, text.format_metrics(aucs), strict=True):
        low, high = text.format_count(row["expected_low"]), text.format_count(row["expected_high"])
        expected = f"{text.format_number(row['expected'])} ({low} to {high})"
        rows.append({**row, "expected": expected, "auc": formatted if auc else TOO_FEW})
    return rows


def list_parameters(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the name and value of each parameter; a section without subsections is one row."""
    rows = []
    for name, value in parameters.items():
        plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        if not isinstance(plain, Mapping):
            rows.append((name, str(plain)))
        elif any(isinstance(inner, Mapping) for inner in plain.values()):
            rows += list_parameters({f"{name}.{key}": inner for key, inner in plain.items()})
        else:
            rows.append((name, ", ".join(f"{key}: {inner}" for key, inner in plain.items())))
    return rows
