"""Who was contacted when: from the company's record, or by default as listed."""

import pandas as pd

from sparkify.errors import UserError

COLUMNS = ["user_id", "contacted_at", "campaign"]
CONTACT, CONTROL, LASTING = "contact", "control", "lasting"  # groups of a listed customer


class ContactRecordError(UserError):
    """The record of contacts cannot be read."""


def list_contacts_made(listed: pd.DataFrame, contact_record: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row per contact: `user_id`, `contacted_at` (UTC) and `campaign`.

    Args:
        listed: one row per listed customer and campaign, with `cutoff` and `group`.
        contact_record: the company's record; None for contacts exactly as listed, at the cutoff.

    Raises:
        ContactRecordError: if the record lacks a column or holds a time that cannot be read.
    """
    if contact_record is None:
        contacts = listed[listed["group"] == CONTACT]
        times = pd.to_datetime(contacts["cutoff"])
        return contacts.assign(contacted_at=times)[COLUMNS].reset_index(drop=True)
    missing = [name for name in COLUMNS if name not in contact_record]
    if missing:
        raise ContactRecordError(
            f"contact_record lacks the columns {', '.join(missing)}. It needs user_id, "
            f"contacted_at (UTC) and campaign (the cutoff of the list, as in 2018-12-01)."
        )
    times = pd.to_datetime(
        contact_record["contacted_at"], utc=True, errors="coerce", format="ISO8601"
    )
    if times.isna().any():
        wrong = contact_record.loc[times.isna(), "contacted_at"].iloc[0]
        raise ContactRecordError(
            f"contact_record: {times.isna().sum():,} of {len(times):,} contacts have a "
            f"contacted_at that is not a time, as in '{wrong}'. Write 2018-12-01 or "
            f"2018-12-01T09:30:00Z."
        )
    return pd.DataFrame(
        {
            "user_id": contact_record["user_id"].astype(str),
            "contacted_at": times.dt.tz_localize(None),
            "campaign": contact_record["campaign"].astype(str),
        }
    )


def join_contacts(listed: pd.DataFrame, contacts: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Count the contacts of each listed customer.

    Args:
        listed: one row per listed customer and campaign, with `cutoff`.
        contacts: one row per contact, as `list_contacts_made` returns them.
        horizon_days: days after the cutoff in which contacts and outcomes count.

    Returns:
        The same rows with three counts: `contacts` of this campaign before the end of the horizon,
        `late_contacts` after it, and `other_contacts` of other campaigns within the horizon.
    """
    pairs = listed[["user_id", "campaign", "cutoff"]].merge(
        contacts, on="user_id", suffixes=("", "_of_contact")
    )
    days = (pairs["contacted_at"].dt.normalize() - pd.to_datetime(pairs["cutoff"])).dt.days
    is_own = pairs["campaign"] == pairs["campaign_of_contact"]
    is_within = days.between(0, horizon_days - 1)
    counted = pairs.assign(
        contacts=is_own & (days < horizon_days),
        late_contacts=is_own & (days >= horizon_days),
        other_contacts=~is_own & is_within,
    )
    names = ["contacts", "late_contacts", "other_contacts"]
    counts = counted.groupby(["user_id", "campaign"], as_index=False)[names].sum()
    joined = listed.merge(counts, on=["user_id", "campaign"], how="left", validate="1:1")
    return joined.assign(**{name: joined[name].fillna(0).astype(int) for name in names})
