"""Names that other services have for the project's fields, the likeliest first."""

import re

from sparkify.inspection.profile import Key

UNLIKELY = 90  # the rank of names that fit only where nothing else does
# Patterns of a key's name in lower case without punctuation.
PATTERNS: dict[str, tuple[str, ...]] = {
    "ts": (
        "ts",
        "timestamp|eventtimestamp",
        "eventtime|eventdatetime|eventat|eventts",
        "time|datetime|eventdate",
        "(occurred|happened|logged|watched|played|listened|viewed|visited|streamed)at",
        "(?!.*(session|exp)).*time(stamp)?",
        "createdat|date|day",
        ".*(at|date|ts)",
    ),
    "userId": (
        "userid",
        "distinctid",
        "(customer|member|subscriber|account|profile|player|client|contact)(id|no|key|number)|msno"
        "|uid|userkey|userno",
        "username|userlogin|login",
        "userpseudoid|amplitudeid",
        "user|customer|member|subscriber|account",
        "(full)?visitorid",
        ".*userid|.*email",
        "(anonymous|device|cookie|installation)id",
    ),
    "sessionId": (
        "sessionid|gasessionid",
        "session|sid|sessionkey|sessionno|sessionnumber|sessionuuid|usersession",
        "visitid|visit|visitno|visitnumber",
        ".*sessionid",
    ),
    "itemInSession": (
        "iteminsession",
        "(event)?(seq|sequence|index)(no|number)?|(eventin)?session(seq|index|position)",
        "step|position|hitnumber|eventno|eventnumber|itemno",
        "eventid",
    ),
    "page": (
        "page",
        "event",
        "eventname|eventtype|eventaction",
        "action|activity|activitytype|activityname|actiontype|actionname",
        "screen|screenname|pagename|pagetype|viewname|pagetitle",
        "name|type|verb|operation|interaction|eventcategory|category",
        "path|pagepath|route|endpoint|url",
    ),
    "level": (
        "level",
        "plan|plan(name|type|id|tier|level|code)",
        "subscription(plan|type|tier|level|name)?|tier|membership(type|level)?",
        "(account|user|customer|member)(type|tier|plan|level)|product|package",
        "subscriptionstatus",
        "(is)?(paying|paid|premium|subscriber|subscribed)|haspaid|payingstatus",
    ),
    "registration": (
        "registration|registration(date|time|ts|timestamp|at)|registered(at|on)?",
        "signup|signup(date|time|ts|timestamp|at)|signedup(at|on)?",
        "(user|account|member|customer|profile)(creat|regist)(ion|ed|ration)?(at|on|date|time)?"
        "|(user|account|member|customer)creationtime",
        "(member|customer|subscriber)since|joined(at|on)?|join(date|time)",
        "userfirsttouchtimestamp|firstseen(at)?",
    ),
    "gender": ("gender", "sex"),
    "length": (
        "length",
        "duration|durationseconds?|lengthseconds?|durationsecs?",
        "seconds|secs|seconds(played|watched|listened)|(played|watched|listened)seconds",
        "totalsecs",
    ),
}
DEMOTED = re.compile(
    r".*(received|sent|upload|server|process|ingest|load|updated|modified|original|client|offline"
    r"|expire|collector|derived).*"
)
MILLISECONDS = re.compile(r"ms.*|.*(ms|milli(second)?s)|.*msec.*")
# Names that the words of another field contain.
NOT_TIMES = ("registration", "sessionId", "itemInSession", "userId")


def rank_name(field: str, key: Key) -> float | None:
    """Return how well a key's name fits a field, the lowest best; None if it does not."""
    if key.part == field and not key.depth:
        return -1
    ranks = [
        rank
        for rank, pattern in enumerate(PATTERNS[field])
        if any(re.fullmatch(pattern, word) for word in key.words)
    ]
    if not ranks:
        return None
    if field == "ts" and any(rank_name(other, key) is not None for other in NOT_TIMES):
        return None
    is_demoted = field == "ts" and any(DEMOTED.fullmatch(word) for word in key.words)
    # Mixpanel's $user_id and their like are copies that the service makes.
    return min(ranks) + 1.5 * key.part.startswith("$") + UNLIKELY * is_demoted
