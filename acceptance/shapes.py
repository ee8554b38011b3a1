"""The replies of the API as the vendor documents them, compared key by key.

A shape is a dictionary of shapes (exactly these keys; one that ends in `?` may
be missing), a list of one shape (that each element has), a tuple of shapes (one
of them fits), a pattern (of a whole text), a type, or None.
"""

import re

from service import AUTH_ID


def wrong(shape, value, at="it"):
    """What is not as `shape` says in `value`; empty when all is."""
    if isinstance(shape, dict):
        return wrong_keys(shape, value, at) if isinstance(value, dict) else f"{at} is {value!r}"
    if isinstance(shape, list):
        each = enumerate(value) if isinstance(value, list) else [(0, value)]
        return "; ".join(filter(None, (wrong(shape[0], one, f"{at}[{index}]") for index, one in each)))
    if isinstance(shape, tuple):
        found = [wrong(one, value, at) for one in shape]
        return "" if "" in found else found[0]
    if isinstance(shape, str):
        fits = isinstance(value, str) and re.fullmatch(shape, value)
    else:
        fits = value is None if shape is None else type(value) is shape
    return "" if fits else f"{at} is {value!r}"


def wrong_keys(shape, value, at):
    known = {key.rstrip("?"): (key, one) for key, one in shape.items()}
    extra = [f"{at}.{key} is not in the specification" for key in value if key not in known]
    missing = [f"{at}.{key} is missing" for key in shape if not key.endswith("?") and key not in value]
    present = [wrong(one, value[key], f"{at}.{key}") for key, (_, one) in known.items() if key in value]
    return "; ".join(filter(None, missing + extra + present))


def camel(shape):
    """`shape` with its keys as the Node SDK writes them."""
    if isinstance(shape, dict):
        return {
            re.sub("_+([a-z])", lambda hit: hit[1].upper(), key): camel(one) for key, one in shape.items()
        }
    if isinstance(shape, list | tuple):
        return type(shape)(camel(one) for one in shape)
    return shape


UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"
EXACT_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
AMOUNT = r"\d+\.\d{5}"
NUMBER = r"\d+"
METHOD = "GET|POST"
SUBACCOUNT = "SA[A-Z0-9]{18}"
ACCOUNT_URI = f"/v1/Account/{AUTH_ID}/"
MPC_URI = f"{ACCOUNT_URI}MultiPartyCall/(name|uuid)_[^/]+/"


def reply(shape):
    return {"api_id": UUID} | shape


def said(message):
    return reply({"message": re.escape(message)})


def listed(shape):
    page = (f"{ACCOUNT_URI}.*", None)
    meta = {"count": int, "total_count": int, "limit": int, "offset": int, "next": page, "previous": page}
    return reply({"meta": meta, "objects": [shape]})


ERROR = reply({"error": ".+"})
STREAM_IN_LIST = {
    "call_uuid": UUID,
    "end_time": (TIME, None),
    "service_url": "ws://.+",
    "start_time": (TIME, None),
    "status": "initiated|started|stopped|failed",
    "status_callback_url": (".+", None),
    "stream_id": UUID,
}
STREAM = reply(STREAM_IN_LIST)
STREAMED = reply({"message": "audio streaming started", "stream_id": UUID})
MPC_IN_LIST = {
    "mpc_uuid": UUID,
    "friendly_name": ".+",
    "status": "Initialized|Active|Ended",
    "creation_time": TIME,
    "start_time": (TIME, None),
    "end_time": (TIME, None),
    "duration": (int, None),
    "billed_duration": (int, None),
    "billed_amount": (AMOUNT, None),
    "recording": ("recording|not-recording|paused", None),
    "participants": f"{MPC_URI}Participant/",
    "resource_uri": MPC_URI,
    "stay_alone": bool,
    "sub_account": (SUBACCOUNT, None),
    "termination_cause": (".+", None),
    "termination_cause_code": (int, None),
}
MPC = reply(MPC_IN_LIST)
PARTICIPANT_IN_LIST = {
    "member_id": NUMBER,
    "mpc_uuid": UUID,
    "call_uuid": UUID,
    "member_address": ".+",
    "role": "agent|customer|supervisor",
    "coach_mode": (bool, None),
    "mute": (bool, None),
    "hold": (bool, None),
    "start_mpc_on_enter": bool,
    "end_mpc_on_exit": bool,
    "join_time": TIME,
    "exit_time": (TIME, None),
    "exit_cause": (".+", None),
    "duration": (int, None),
    "billed_duration": (int, None),
    "billed_amount": (AMOUNT, None),
    "resource_uri": f"{MPC_URI}Participant/{NUMBER}/",
}
PARTICIPANT = reply(PARTICIPANT_IN_LIST)
ADDED = reply(
    {
        "calls": [{"to": ".+", "from": ".*", "call_uuid": UUID}],
        "message": "add participant action initiated",
        "request_uuid": UUID,
    }
)
MPC_RECORDED = reply(
    {"message": "MPC: .+ record started", "recording_id": UUID, "recording_url": "https?://.+"}
)
PLAYED = reply({"message": "play queued into MPC", "mpcMemberId": [NUMBER], "mpcName": ".+"})
SPOKEN = PLAYED | {"message": "speak queued into MPC"}
ASYNC = said("async api spawned")


def updated(**verbs):
    return reply({key: f"MPC: .+ {verb} .*succeeded" for key, verb in verbs.items()})


CALL_FIRED = reply({"message": "call fired", "request_uuid": UUID})
CALLS_FIRED = CALL_FIRED | {"request_uuid": [UUID]}
CALL_IDS = reply({"calls": [UUID]})
LIVE_CALL = reply(
    {
        "call_status": "in-progress|ringing|queued",
        "call_uuid": UUID,
        "caller_name": str,
        "direction": "inbound|outbound",
        "from": ".+",
        "request_uuid": UUID,
        "session_start": EXACT_TIME,
        "to": ".+",
    }
)
CALL_IN_LIST = {
    "answer_time": (TIME, None),
    "bill_duration": int,
    "billed_duration": int,
    "call_direction": "inbound|outbound",
    "call_duration": int,
    "call_uuid": UUID,
    "end_time": (TIME, None),
    "from_number": ".+",
    "initiation_time": TIME,
    "parent_call_uuid": (UUID, None),
    "resource_uri": f"/v1/Account/[MS]A[A-Z0-9]{{18}}/Call/{UUID}/",
    "to_number": ".+",
    "total_amount": AMOUNT,
    "total_rate": AMOUNT,
    "call_state": "[A-Z_]+|[a-z-]+",
    "hangup_cause_code": (int, None),
    "hangup_cause_name": (".+", None),
    "hangup_source": (".+", None),
    "stir_verification": str,
}
CALL = reply(CALL_IN_LIST)
CALL_RECORDED = reply({"message": "call recording started", "recording_id": UUID, "url": "https?://.+"})
APPLICATION_IN_LIST = {
    "answer_method": METHOD,
    "answer_url": str,
    "app_id": NUMBER,
    "app_name": ".+",
    "default_app": bool,
    "default_endpoint_app": bool,
    "enabled": bool,
    "fallback_answer_url": str,
    "fallback_method": METHOD,
    "hangup_method": METHOD,
    "hangup_url": str,
    "log_incoming_messages?": bool,
    "message_method": METHOD,
    "message_url": str,
    "public_uri": bool,
    "resource_uri": f"{ACCOUNT_URI}Application/{NUMBER}/",
    "sip_uri": f"sip:{NUMBER}@app.plivo.com",
    "sub_account": (SUBACCOUNT, None),
}
APPLICATION = reply(APPLICATION_IN_LIST)
APPLICATION_CREATED = said("created") | {"app_id": NUMBER}
ENDPOINT_IN_LIST = {
    "alias": ".+",
    "application": (f"{ACCOUNT_URI}Application/{NUMBER}/", None),
    "endpoint_id": NUMBER,
    "resource_uri": f"{ACCOUNT_URI}Endpoint/{NUMBER}/",
    "sip_registered": "true|false",
    "sip_uri": r"sip:[a-z]+\d{12}@phone.plivo.com",
    "sub_account": (SUBACCOUNT, None),
    "username": r"[a-z]+\d{12}",
    "password?": "[0-9a-f]{32}",
}
ENDPOINT = reply(ENDPOINT_IN_LIST)
ENDPOINT_CREATED = said("created") | {"alias": ".+", "endpoint_id": NUMBER, "username": r"[a-z]+\d{12}"}
RECORDING_IN_LIST = {
    "add_time": EXACT_TIME + r"[+-]\d\d:\d\d",
    "call_uuid": (UUID, None),
    "conference_name": (str, None),
    "from_number": (str, None),
    "to_number": (str, None),
    "monthly_recording_storage_amount": AMOUNT,
    "recording_duration_ms": AMOUNT,
    "recording_start_ms": AMOUNT,
    "recording_end_ms": AMOUNT,
    "recording_format": "mp3|wav",
    "recording_id": UUID,
    "recording_storage_duration": int,
    "recording_storage_rate": AMOUNT,
    "recording_type": "conference|normal|call",
    "recording_url": "https?://.+",
    "resource_uri": f"{ACCOUNT_URI}Recording/{UUID}/",
    "rounded_recording_duration": int,
    "mpc_name?": (str, None),
    "mpc_uuid?": (UUID, None),
    "conference_uuid?": (UUID, None),
}
RECORDING = reply(RECORDING_IN_LIST)
ACCOUNT = reply(
    {
        "account_type": "standard|.+",
        "address": (str, None),
        "auth_id": AUTH_ID,
        "auto_recharge": bool,
        "billing_mode": ".+",
        "cash_credits": AMOUNT,
        "city": (str, None),
        "name": str,
        "resource_uri": ACCOUNT_URI,
        "state": (str, None),
        "timezone": ".+",
    }
)
SUBACCOUNT_IN_LIST = {
    "account": ACCOUNT_URI,
    "auth_id": SUBACCOUNT,
    "auth_token": ".{20,}",
    "created": (TIME, r"\d{4}-\d\d-\d\d"),
    "enabled": bool,
    "modified": (TIME, None),
    "name": ".+",
    "resource_uri": f"{ACCOUNT_URI}Subaccount/{SUBACCOUNT}/",
}
SUBACCOUNT_OBJECT = reply(SUBACCOUNT_IN_LIST)
SUBACCOUNT_CREATED = said("created") | {"auth_id": SUBACCOUNT, "auth_token": ".{20,}"}
CHANGED = said("changed")
