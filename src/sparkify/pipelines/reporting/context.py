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
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.input_definitions import LOG_PREFIX
from sparkify.pipelines.modelling.model_card import is_same_model
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.modelling.selection import choose_simplest
from sparkify.pipelines.monitoring.drift import format_chance, format_verdict
from sparkify.pipelines.reporting import number_format as text
from sparkify.schemas import feature_columns

RANDOM_AUC = 0.5
CURVE_DAYS = (7, 14)  # shown of the curves, besides the horizon and the last day
RATES_PER_SEGMENT = 3  # rates that describe a segment
DEFAULT_PERIOD = ", whole history"  # the period of a feature without another one
Rows = list[dict[Hashable, Any]]


def describe_forecast(
    score_summary: dict[str, Any], contacts: pd.DataFrame, metrics: dict[str, Any], max_rows: int
) -> dict[str, Any]:
    """Return ranges of the totals, the break-even probability and the first contacts."""
    decision, costs = score_summary["decision"], score_summary["contact_costs"]
    value = score_summary["kept_value"] or decision["kept_customer_value"]
    expected_kept = (score_summary["expected_profit"] + costs) / value
    top = contacts.head(max_rows).to_dict("records")
    reasons = [str(name) for name in contacts if str(name).startswith("reason_for_")]
    return {
        "is_other_model": not is_same_model(score_summary["model"], metrics["champion"]),
        "outcome_words": OUTCOME_WORDS[score_summary["outcome"]],
        "churner_range": poisson.interval(0.95, score_summary["expected_churners"]),
        "profit_range": [
            value * stayers - costs for stayers in poisson.interval(0.95, expected_kept)
        ],
        "break_even": decision["contact_cost"] / (decision["contact_success"] * value),
        "contact_rows": [
            row
            | {"why": "; ".join(filter(pd.notna, (row[name] for name in reasons))) or text.UNKNOWN}
            for row in top
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
    """Return one row per input, with its meaning, and one row per segment, with its main rates.

    The weight of an input times the moderator is in the row of the input.
    """
    meanings = _describe_inputs(inputs, feature_engineering)
    meanings |= {f"segment_{n}": f"Probability of segment {n}" for n in segments["segment"]}
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
        "segment_rows": _list_segment_rows(segments, inputs),
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


def _list_segment_rows(segments: pd.DataFrame, inputs: InputParameters) -> Rows:
    """Describe each segment by the rates that differ most from those of all customers."""
    if segments.empty:
        return []
    rates = segments.drop(columns=["segment", "share", "churned"]).astype(float)
    average = rates.iloc[-1]
    distances = rates.div(average).transform(np.log).abs()
    descriptions = [
        "; ".join(
            inputs.get_rate_template(str(name)).format(
                rate=rates.loc[position, name], average=average[name]
            )
            for name in distances.loc[position].nlargest(RATES_PER_SEGMENT).index
        ).replace("%", f"{text.SPACE}%")
        for position in segments.index[:-1]
    ]
    return segments.head(-1).assign(rates=descriptions).to_dict("records")


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
