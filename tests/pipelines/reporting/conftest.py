import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.reporting.nodes import write_report
from sparkify.pipelines.reporting.number_format import MINUS, SPACE, WORD_JOINER
from sparkify.pipelines.reporting.parameters import ReportingParameters

FIGURES = [
    *("calibration_figure", "lift_figure", "profit_figure", "candidates_figure"),
    *("feature_weights_figure", "drift_figure", "campaigns_figure", "movements_figure"),
    *("time_to_leave_figure", "curve_evaluation_figure"),
]
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def figure(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "ci95": [low, high]}


CHAMPION = {
    "candidate": "xgboost",
    "settings": {"n_estimators": 400},
    "label": "xgboost (n estimators 400)",
    "imbalance": "none",
    "calibration": "none",
    "f1_threshold": 0.0912,
    "prediction_task": {"train_cutoffs": ["2018-10-10", "2018-10-17"]},
    "source": "provided",
    "training": {
        "snapshots": 98_765,
        "users": 16_543,
        "churned": 3_777,
        "base_rate": 0.03824,
        "first_cutoff": "2018-10-10",
        "last_cutoff": "2018-10-17",
        "fingerprint": "00f1-98765",
    },
    "packages": {"python": "3.11.2", "pyspark": "4.3.0"},
}
HOLDOUT = {
    "users": 19_876,
    "snapshots": 19_876,
    "churned": 612,
    "base_rate": 0.03079,
    "threshold": 0.0912,
    "auc": figure(0.7804, 0.7612, 0.7981),
    "average_precision": figure(0.1371, 0.1152, 0.1589),
    "lift_top_decile": figure(3.914, 3.521, 4.288),
    "log_loss": figure(0.13031, 0.1230, 0.1376),
    "brier": figure(0.0288, 0.0270, 0.0306),
    "expected_calibration_error": figure(0.00441, 0.0036, 0.0073),
    "calibration_slope": figure(1.091, 1.002, 1.163),
    "precision": figure(0.1723, 0.1511, 0.1934),
    "recall": figure(0.2811, 0.2402, 0.3190),
    "f1": figure(0.2136, 0.19, 0.24),
}
DECISION = {
    "threshold": 0.0912,
    "threshold_by": "f1",
    "contact_cost": 1.0,
    "contact_success": 0.1,
    "kept_customer_value": 90.0,
}
RANKED = ("auc", "average_precision", "lift_top_decile")
METRICS = {
    "source": "provided",
    "prediction_task": {
        "description": "2018-11-21, 10 days ahead",
        "cutoff": "2018-11-21",
        "horizon_days": 10,
        "outcome": "cancellation",
        "outcome_phrase": "cancelled",
        "train_cutoffs": ["2018-10-10", "2018-10-17"],
    },
    "champion": CHAMPION,
    "decision": DECISION,
    "holdout": HOLDOUT,
    "held_out_users": {
        **HOLDOUT,
        "users": 3_580,
        "snapshots": 3_580,
        "churned": 101,
        "auc": figure(0.753, 0.707, 0.796),
    },
    "train": {"users": 16_543},
    "baselines": {
        "base_rate": {name: HOLDOUT[name] for name in (*RANKED, "log_loss")},
        "most_songs": {name: HOLDOUT[name] for name in RANKED},
    },
    "weeks": [
        {"cutoff": "2018-11-07", "customers": 18_900, "expected": 560.2, "churned": 541},
        {"cutoff": "2018-11-21", "customers": 19_876, "expected": 601.4, "churned": 612},
    ],
    "gain_over_baselines": {
        "most_songs": {
            "auc": figure(0.1004, 0.0812, 0.1201),
            "average_precision": figure(0.0652, 0.0431, 0.0893),
        }
    },
    "candidates": [
        {
            "trial": 1,
            "candidate": "xgboost",
            "settings": "n_estimators=400",
            "average_precision": 0.1596,
            "log_loss": 0.16698,
            "average_precision_error": 0.0056,
            "behind": 0.0,
            "behind_error": 0.0,
            "folds": 5,
        },
        {
            "trial": 0,
            "candidate": "logistic_regression",
            "settings": "regParam=0.001, tol=0.0001",
            "average_precision": 0.1522,
            "log_loss": 0.16843,
            "average_precision_error": 0.0047,
            "behind": 0.0074,
            "behind_error": 0.0033,
            "folds": 5,
        },
    ],
}
SUMMARY = {
    "cutoff": "2018-12-01",
    "horizon_days": 10,
    "outcome": "cancellation",
    "outcome_phrase": "cancelled",
    "is_forecast": True,
    "customers": 19_700,
    "by_level": {"free": 4_700, "paid": 15_000},
    "expected_churners": 588.2,
    "mean_probability": 0.02986,
    "predicted": 1_002,
    "to_contact": 900,
    "control": 102,
    "control_share": 0.1,
    "expected_profit": 512.25,
    "contact_costs": 900.0,
    "has_prices": False,
    "kept_value": 90.0,
    "with_median": 31,
    "decision": DECISION,
    "main_reasons": {"many adverts": 500, "plays many songs": 402, "little history": 100},
    "segments": [
        {
            **{"segment": "many adverts", "customers": 1_900, "expected_churners": 236.1},
            **{"to_contact": 600, "expected_gain": 402.5},
        },
        {
            **{"segment": "ordinary", "customers": 17_800, "expected_churners": 352.1},
            **{"to_contact": 300, "expected_gain": 109.75},
        },
    ],
    "model": {
        **{name: CHAMPION[name] for name in ("candidate", "label", "calibration", "f1_threshold")},
        **{name: CHAMPION[name] for name in ("source", "training")},
        "train_cutoffs": ["2018-10-10", "2018-10-17"],
    },
}
CONTACTS = pd.DataFrame(
    {
        "rank": [1, 2],
        "user_id": ["<script>alert(1)</script>", "300`|7"],
        "cutoff": ["2018-12-01"] * 2,
        "probability": [0.4312, 0.3977],
        "level": ["paid", "free"],
        "days_since_last_seen": [0.4, 12.3],
        "segment": ["many adverts", "ordinary"],
        "expected_gain": [2.88, 2.58],
        "action": ["offer a month without adverts", None],
        "reason_for_1": ["thumbs down on 4.1 % of songs, average 1.1 %", "3.4 songs a day"],
        "reason_for_2": ["no songs on the free level", None],
    }
)
PLAN = {
    **DECISION,
    "customers": 19_876,
    "best": {
        "contacted": 2_310,
        "profit": figure(1_234.0, 803.0, 1_655.0),
        "contacted_ci95": [1_204.0, 3_871.0],
    },
    "in_use": {"contacted": 999, "profit": figure(551.0, 322.0, 799.0), "threshold": 0.0912},
    "at_random": {"contacted": 999, "profit": -722.0},
    "all_customers": {"contacted": 19_876, "profit": -14_368.0},
    "baselines": {"most_songs": {"contacted": 400, "profit": 61.0}},
}
PROFIT = pd.DataFrame(
    {
        "contacted": [0, 999, 2_310, 19_876],
        "probability": [0.61, 0.0912, 0.05, 0.001],
        "churned": [0, 172, 394, 612],
        "profit": [0.0, 551.0, 1_234.0, -14_368.0],
        "profit_low": [0.0, 322.0, 803.0, -14_801.0],
        "profit_high": [0.0, 799.0, 1_655.0, -13_911.0],
        "at_random": [0.0, -722.0, -1_670.0, -14_368.0],
        "most_songs": [0.0, 12.0, -300.0, -14_368.0],
    }
)
GROUPS = pd.DataFrame(
    {
        "group": ["level", "level", "gender"],
        "value": ["free", "paid", "<b>F</b>"],
        "users": [4_800, 15_076, 3],
        "churned": [90, 522, 0],
        "base_rate": [0.01875, 0.03462, 0.0],
        "mean_probability": [0.0181, 0.0301, 0.03],
        "auc": [0.7011, 0.7911, None],
        "auc_low": [0.642, 0.7702, None],
        "auc_high": [0.7523, 0.8121, None],
        "auc_difference": [-0.0793, 0.0107, None],
        "auc_difference_low": [-0.1312, -0.0021, None],
        "auc_difference_high": [-0.0314, 0.0241, None],
        "calibration_gap": [0.00065, 0.00452, None],
        "calibration_gap_low": [-0.0032, 0.0016, None],
        "calibration_gap_high": [0.0045, 0.0074, None],
        "expected_calibration_error": [0.0031, 0.0051, None],
    }
)
SEGMENTS = pd.DataFrame(
    {
        "segment": ["1", "2", "all"],
        "name": ["ordinary", "many adverts", "all"],
        "share": [0.903, 0.097, 1.0],
        "churned": [0.031, 0.124, 0.0412],
        "adverts_per_free_song": [0.081, 0.1614, 0.0898],
    }
)
AUDIT = {
    "warnings": ["Do not believe the model: age alone tells who churned (AUC 0.97)."],
    "training": CHAMPION["training"],
    "auc_of_exposure": 0.611,
    "auc_of_rates": 0.702,
    "feature_auc": {"age": 0.971},
    "identity": {"r2": 0.123},
    "later_events": {"deleted": 0, "altered": 0, "invented": 0},
}
MONITORING = {
    "cutoff": "2018-12-01",
    "customers": 19_700,
    "reference_cutoff": "2018-11-07",
    "reference_customers": 18_900,
    "alarms": [{"name": "drift.adverts", "sentence": "Adverts have drifted; PSI 0.31, limit 0.1."}],
    "thresholds": {"psi": 0.1, "false_alarms": 0.01},
    "features": [
        {
            "feature": "adverts_per_free_song",
            "reference_mean": 0.0712,
            "newest_mean": 0.1433,
            "psi": 0.3102,
            "p_adjusted": 0.00021,
            "kind": "number",
            "alarm": True,
        }
    ],
    "holdout": {"auc": HOLDOUT["auc"]},
    "realised": [
        {
            "cutoff": "2018-11-14",
            "customers": 19_001,
            "expected": 571.3,
            "expected_low": 511,
            "expected_high": 633,
            "churned": 580,
            "auc": 0.7713,
            "auc_low": 0.7512,
            "auc_high": 0.7914,
        }
    ],
}
QUALITY = {
    "source": "provided",
    "simulation": {},
    "lines": 287_156,
    "accepted": 278_684,
    "rejected": 8_472,
    "rejections": {"no user": {"lines": 8_472, "examples": []}},
    "files_to_clean": 0,
    "unknown_columns": ["<i>device</i>"],
    "users": 22_500,
    "first_event": "2018-10-01T00:00:00Z",
    "last_event": "2018-11-30T23:59:49Z",
}
EVENT_SUMMARY = {
    "pages": {"NextSong": 228_000},
    "missing_pages": {},
    "returning_customers": {"customers": 0, "events": 0, "treated_as": "return"},
}
PLAN_OF_LIST = {
    "contacts": 2_700,
    "control": 300,
    "lasting_control": 0,
    "expected_rate": 0.1,
    "contact_success": 0.2,
    "wanted_power": 0.8,
    "max_plausible_success": 0.5,
    "power": 0.2,
    "detectable_success": 0.435,
    "needed_control": None,
    "needed_campaigns": 6,
    "is_conclusive": True,
}
EFFECT = {
    **{"campaign": "2018-11-01", "grouping": "all", "value": "all"},
    **{"contacted": 2_700, "control": 300, "churned_contacted": 190, "churned_control": 33},
    **{"kept": 0.0396, "kept_low": 0.0082, "kept_high": 0.0797},
    **{"success": 0.36, "success_low": 0.09, "success_high": 0.55},
    **{"adjusted_kept": 0.0401, "adjusted_kept_low": 0.0101, "adjusted_kept_high": 0.0791},
    **{"adjusted_success": 0.37, "adjusted_success_low": 0.12, "adjusted_success_high": 0.54},
    **{"gain": 7044.0, "gain_low": -245.0, "gain_high": 16521.0},
}
CAMPAIGNS = {
    "finished": ["2018-11-01"],
    "waiting": ["2018-12-01"],
    "campaigns": [
        {
            **{"campaign": "2018-11-01", "effect": EFFECT, "late_contacts": 12},
            **{"contacted_share": 0.8, "control_contacted_share": 0.05},
        }
    ],
    "groups": [],
    "all": EFFECT | {"campaign": "all"},
    "proposal": {
        **{"in_use": 0.2, "contact_success": 0.37, "low": 0.12, "high": 0.54},
        **{"is_adjusted": True, "is_effective": True},
    },
    "programme": [],
}

MOVEMENTS = pd.DataFrame(
    [
        ("2018-11-24", "paid", "active", "active", "15000"),
        ("2018-11-24", "free", "active", "cancelled", "301"),
        ("2018-12-01", "paid", "active", "active", "14000"),
        ("2018-12-01", "free", "active", "active", "3000"),
        ("2018-12-01", "free", "active", "quiet", "211"),
        ("2018-12-01", "paid", "active", "cancelled", "202"),
        ("2018-12-01", "free", "quiet", "returned", "53"),
        ("2018-12-01", "free", "new", "active", "44"),
    ],
    columns=["week_end", "level", "before", "now", "customers"],
)
RETENTION = pd.DataFrame(
    [
        ("2018-10-22", "1", "400", "380"),
        ("2018-10-22", "4", "400", "300"),
        ("2018-11-19", "1", "120", "117"),
        ("earlier", "1", "9000", "8800"),
        ("earlier", "4", "9000", "7920"),
    ],
    columns=["signed_up", "weeks", "customers", "retained"],
)
CURVES = pd.DataFrame(
    [
        (grouping, value, customers, day, share * day, 0.0, 1.0)
        for grouping, value, customers, share in [
            ("all", "all", 19_700, 0.003),
            ("level", "free", 4_700, 0.002),
            ("segment", "segment_1", 19_700, 0.003),
        ]
        for day in range(1, 31)
    ],
    columns=["grouping", "value", "customers", "day", "mean", "p10", "p90"],
)
CURVE_EVALUATION = {
    "fingerprint": CHAMPION["training"]["fingerprint"],
    "rows": [
        {
            **{"day": day, "cutoff": cutoff, "training_cutoffs": 5, "shown_days": 21},
            **{"predictor": predictor, "customers": 19_876, "left": 40 * day},
            **{"observed": 0.002 * day, "mean_forecast": 0.0021 * day},
            **{"auc": 0.7712, "auc_low": 0.7501, "auc_high": 0.7899, "brier": brier},
        }
        for day, cutoff in [(7, "2018-11-21"), (30, "2018-10-31")]
        for predictor, brier in [
            ("curve", 0.0201),
            ("kaplan_meier_of_segment", 0.0212),
            ("kaplan_meier_of_all", 0.0223),
        ]
    ],
}
VALUES = pd.DataFrame(
    {
        "grouping": ["all", "level"],
        "value": ["all", "paid"],
        "customers": [19_700, 15_000],
        "remaining_value": [412_345.1, 400_123.2],
        "remaining_value_low": [409_001.0, 397_002.0],
        "remaining_value_high": [415_678.0, 403_003.0],
        "value_at_risk": [12_345.6, 12_001.2],
        "value_at_risk_low": [11_002.0, 10_803.0],
        "value_at_risk_high": [13_701.0, 13_204.0],
    }
)


@pytest.fixture
def datasets() -> dict[str, Any]:
    """Return the datasets of a project in which every pipeline has run."""
    return {
        "score_summary": SUMMARY,
        "contacts": CONTACTS,
        "metrics": METRICS,
        "promotion": {"replaced": True, "reason": "there is no champion yet"},
        "contact_plan": PLAN,
        "contact_profit": PROFIT,
        "feature_weights": pd.DataFrame(
            {
                "feature": ["segment_2", "songs_per_day", "songs_per_day, is_paid"],
                "weight": [0.2512, 0.11, -0.0712],
                "kind": "coefficient",
            }
        ),
        "segments": SEGMENTS,
        "group_metrics": GROUPS,
        "campaign_plan": PLAN_OF_LIST,
        "campaign_summary": CAMPAIGNS,
        "time_to_leave_summary": CURVES,
        "curve_evaluation": CURVE_EVALUATION,
        "value_totals": VALUES,
        "monitoring_summary": MONITORING,
        "leakage_audit": AUDIT,
        "data_quality": QUALITY,
        "event_summary": EVENT_SUMMARY,
        "churn_scores_csv": {"churn_scores.csv": None},
        "contacts_csv": [*range(2_732)],
        "control_group_csv": [*range(304)],
        "customer_movements": MOVEMENTS,
        "retention": RETENTION,
        **dict.fromkeys(FIGURES, PIXEL),
    }


@pytest.fixture(scope="session")
def settings(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of `write_report`."""
    return {
        "inputs": parameters["inputs"],
        "feature_engineering": parameters["feature_engineering"],
        "reporting": ReportingParameters(
            model_output="../../07_model_output/mini/",
            contacts_shown=15,
            contacts_searchable=500,
            actions={"many adverts": "offer a month without adverts"},
        ),
        "campaigns": parameters["campaigns"],
        "parameters": {"modelling": {"seed": 7}, "simulation": {"seed": 24}},
    }


class WrittenReport:
    """A report with plain spaces and minus signs, read by section and table."""

    def __init__(self, page: str, markdown: str) -> None:
        self.page, self.markdown = page, markdown
        unescaped = re.sub(r"\\([^|])", r"\1", markdown)
        self.text = unescaped.replace(SPACE, " ").replace(MINUS, "-").replace(WORD_JOINER, "")

    def section(self, heading: str) -> str:
        """Return the text of a section."""
        return re.split(r"^## \d+\. ", self.text.split(f". {heading}\n")[1], flags=re.MULTILINE)[0]

    def table(self, caption: str) -> list[list[str]]:
        """Return the rows of the table whose caption starts so; the first is the header."""
        after = re.split(rf"(?:\*\*|<summary>){re.escape(caption)}", self.text)[1]
        header, _, *rows = after.split("\n\n")[1].splitlines()
        return [re.split(r" (?<!\\)\| ?", row[2:])[:-1] for row in [header, *rows]]

    def notices(self, level: str = "WARNING") -> list[str]:
        """Return the texts of the warnings or of the alarms (CAUTION)."""
        return re.findall(rf"^> \[!{level}\]\n> (.*)$", self.text, re.MULTILINE)

    def items(self, heading: str) -> dict[str, str]:
        """Return the list items of a section by their name."""
        return dict(re.findall(r"^- \*\*(.*?)\*\* (.*)$", self.section(heading), re.MULTILINE))

    def alt_texts(self) -> list[str]:
        """Return the alternative texts of the figures."""
        alts = re.findall(r'<img src="data:image/png;base64,\w[^"]*" alt="([^"]*)">', self.page)
        return [alt.replace(SPACE, " ").replace(MINUS, "-") for alt in alts]


@pytest.fixture
def write(datasets: dict[str, Any], settings: dict[str, Any]) -> Callable[..., WrittenReport]:
    """Return a function that writes a report with some datasets or parameters changed."""

    def write(**changed: Any) -> WrittenReport:
        parameters = {name: changed.pop(name, value) for name, value in settings.items()}
        results = {
            "evaluation_results": datasets | changed,
            "scoring_results": {},
            "other_results": {},
        }
        report = write_report(**parameters, **results)
        return WrittenReport(report["page"], report["text"])

    return write
