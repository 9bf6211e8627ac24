"""Match a log's pages to the project's page columns, and find its cancellation page."""

import re
from collections import Counter
from collections.abc import Iterable

# The columns of `feature_engineering.pages`: the page in conf/base, and a pattern for pages of
# other services, in lower case with blanks between words. The first column that fits is used.
COLUMNS: dict[str, tuple[str, str]] = {
    "thumbs_down": ("Thumbs Down", r"thumbs? ?down|(\w+ )?(dislike[ds]?|downvoted?|unlike[ds]?)"),
    "thumbs_up": (
        "Thumbs Up",
        r"thumbs? ?up|(\w+ )?(like[ds]?|loved?|upvoted?|favou?rited?|hearted)"
        r"|(add|added) to (favou?rites|wish ?list)",
    ),
    "add_to_playlist": (
        "Add to Playlist",
        r"(\w+ )?(add|added) to (\w+ )?(playlist|watch ?list|library|queue)|add playlist",
    ),
    "add_friend": ("Add Friend", r"(add|added|invite|invited) (a )?friend|follow(ed)?( user)?"),
    "roll_advert": (
        "Roll Advert",
        r"(roll|show|view|play)(ed)? (an )?ad(vert)?s?"
        r"|ad(vert)?s? (\w+ )?(shown?|viewed|played|break)"
        r"|ads?|adverts?|advertisement|commercial( break)?|ad impression",
    ),
    "submit_downgrade": (
        "Submit Downgrade",
        r"submit(ted)? downgrade|(\w+ )?downgraded|switch(ed)? to (a )?(cheaper|free) plan"
        r"|(plan|subscription|account) downgrade|downgrade (confirm|confirmed|confirmation)",
    ),
    "downgrade": ("Downgrade", r"(view |visit )?downgrade( page)?|cheaper plans"),
    "submit_upgrade": (
        "Submit Upgrade",
        r"submit(ted)? upgrade|(\w+ )?upgraded|subscribed?|(start|buy|bought) subscription"
        r"|subscription (start|started|created|purchased|activated)|(plan|account) upgrade",
    ),
    "upgrade": (
        "Upgrade",
        r"(view |visit )?upgrade( page)?|(view )?(pricing|plans?|premium)( page)?( viewed)?",
    ),
    "save_settings": ("Save Settings", r"sav(e|ed) settings|settings (saved|changed|updated)"),
    "settings": ("Settings", r"(view )?(account )?(settings|preferences)( page)?( viewed)?"),
    "logout": ("Logout", r"(user )?(log|sign)(ged|ed)? ?(out|off)"),
    "help": ("Help", r"(view )?(help|support|faq)( page| center)?( viewed)?"),
    "about": ("About", r"(view(ed)? )?about( us)?( page)?"),
    "error": ("Error", r"(\w+ )?(error|exception|crash)( \w+)?"),
    "home": (
        "Home",
        r"(view(ed)? )?(home ?(page|screen)?|dashboard|landing page)( page)?( viewed)?",
    ),
}
CONTENT = re.compile(
    r"next ?song|(\w+ )?(play|plays|played|playing|stream|streamed|listen|listened|watch|watched)"
    r"|(play|listen|watch|stream)(ed)?( to)?( a)? (song|track|video|episode|movie|content|music)"
    r"|(song|track|video|episode|movie|content|playback|media)( play(ed|back)?)? (start|started)"
    r"|(start|begin) (playback|song|video|lesson)"
    r"|(lesson|article|video|content|item|product) (view|viewed|read|opened|completed|started)"
)
NOT_CONTENT = re.compile(
    r".*(log ?(in|out|ged)|sign ?(in|up|out|ed)|register|session|cancel|home|error|settings|help"
    r"|about|advert|app (open|start|launch)|heartbeat|ping|identify).*"
)
CANCELLATION = re.compile(
    r".*(cancel|churn|unsubscri|deactivat|terminat"
    r"|(account|profile|user) ?(was )?(clos|delet|remov)"
    r"|(clos|delet|remov)\w* (\w+ )?(account|profile)"
    r"|(membership|subscription|plan) (\w+ )?(end|expir|stop|lapse)|opt(ed)? out).*"
)
# Things that customers cancel without leaving.
NOT_A_CANCELLATION = re.compile(
    r".*(order|payment|booking|appointment|reservation|download|upload|cart|search|trip|ride"
    r"|checkout|return|dialog|undo|survey).*"
)
COMPLETED = re.compile(
    r".*(confirm|cancell?ed|cancellation$|churned|unsubscribed|deactivated|terminated|closed|deleted"
    r"|removed|ended|expired|lapsed).*"
)

# Columns of the project's own tables, as sparkify.schemas.parameters has them, and words of SQL.
RESERVED = re.compile(
    r"account_age_days|active_days|cancellations|candidate|churned|current_path|cutoff|day"
    r"|days_since_last_seen|ends_cancelled|false|first_day|fold|gender|inputs|is_first_day|is_paid"
    r"|is_trainable|item_in_session|label|last_(event|gender|paid_ts|ts)|length|level|line"
    r"|listening_ms|log_opened|moderat(ed|or)|not|null|observed_days|other_pages|page|percentile"
    r"|place|probability|problems|rank|reasons_(against|for)|record_hash|registration|rejection|repeat"
    r"|session_id|sessions"
    r"|time_format|total_records|trial|true|ts|uncalibrated|unknown_columns|unscaled|user_id|scaled|weight"
    r"|(free|paid)_.*|segment_\d+|.*_(probability|margin|prediction)|.*_\d+d"
)


def split_words(page: str) -> str:
    """Return a page's name in lower case with blanks between its words."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", page)
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def rank_cancellations(pages: Iterable[str]) -> list[str]:
    """Return the pages that look like a cancellation, completed ones first."""
    words = {page: split_words(page) for page in pages}
    fitting = [
        page
        for page, text in words.items()
        if CANCELLATION.fullmatch(text) and not NOT_A_CANCELLATION.fullmatch(text)
    ]
    return sorted(
        fitting,
        key=lambda page: ("confirm" not in words[page], not COMPLETED.fullmatch(words[page])),
    )


def match_columns(pages: Counter[str], cancellations: Iterable[str]) -> dict[str, str]:
    """Return the matching page of the log for each page column, if any.

    Args:
        pages: the log's pages and their number of events.
        cancellations: pages to leave out.
    """
    unmatched = [page for page, _ in pages.most_common() if page not in {*cancellations}]
    columns: dict[str, str] = {}
    for column, (page, _) in {**COLUMNS, "next_song": ("NextSong", "")}.items():
        if page in unmatched:
            columns[column] = page
            unmatched.remove(page)
    for column, (_, pattern) in COLUMNS.items():
        fitting = [page for page in unmatched if re.fullmatch(pattern, split_words(page))]
        if column not in columns and fitting:
            columns[column] = fitting[0]
            unmatched.remove(fitting[0])
    if "next_song" not in columns:
        contents = [page for page in unmatched if CONTENT.fullmatch(split_words(page))]
        other_pages = [page for page in unmatched if not NOT_CONTENT.fullmatch(split_words(page))]
        for page in [*contents, *other_pages, *unmatched][:1]:
            columns["next_song"] = page
    return columns


def is_content(page: str) -> bool:
    """Return whether a page's name means that content starts."""
    return CONTENT.fullmatch(split_words(page)) is not None


def name_column(page: str, used: Iterable[str]) -> str:
    """Return an unused column name for a page."""
    name = "_".join(re.findall(r"[a-z0-9]+", split_words(page)))[:60]
    if not name or not name[0].isalpha() or RESERVED.fullmatch(name):
        name = f"page_{name}".rstrip("_")
    used_names, number = {*used}, 2
    while name in used_names or RESERVED.fullmatch(name):
        name, number = f"{name.rstrip('0123456789_')}_{number}", number + 1
    return name
