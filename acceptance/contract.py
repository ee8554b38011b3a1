"""schemathesis asks for what `/openapi.json` allows and for what it does not; every reply has to be in it."""

import collections
import contextlib
import socket
import time

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from plivo import plivoxml
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from application import Application
from service import AUTH_ID, AUTH_TOKEN, Service

SEED = 4
# Of each operation, as the document has it and then against it.
EXAMPLES = {GenerationMode.POSITIVE: 5, GenerationMode.NEGATIVE: 2}
MAX_SECONDS = 60
# Operations that have to succeed at least once, in per cent; otherwise little but errors was seen.
MIN_SUCCEEDED_PERCENT = 90
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NAME = "contract"


def run(stage):
    app = Application(stage.ports.one())
    # The SDK's validator fails at letters beyond ASCII in a query.
    app.server.handle_error = lambda *_: None
    app.answer(NAME, plivoxml.ResponseElement().add(plivoxml.WaitElement(length=120)))
    limits = "requests_per_5s = 1000000\nwrong_passwords_per_min = 1000000\nmax_dials_per_s = 100"
    service = Service(stage.program, stage.folder / NAME, stage.ports, f"{app.url}/answer", limits=limits)
    try:
        service.start()
        Contract(stage.checks, service, app.url).hold()
    finally:
        service.kill()


def turn(operation):
    """What is deleted cannot be asked for, nor what was inside of it."""
    return operation.method.upper() == "DELETE", -operation.path.count("/"), operation.path


class Contract:
    def __init__(self, checks, service, url):
        self.checks = checks
        self.service = service
        self.url = url
        self.session = requests.Session()
        self.session.auth = (AUTH_ID, AUTH_TOKEN)
        self.session.trust_env = False
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.statuses = collections.defaultdict(collections.Counter)

    def hold(self):
        schema = schemathesis.openapi.from_url(f"{self.service.url}/openapi.json")
        self.known = self.populate()
        operations = [result.ok() for result in schema.get_all_operations()]
        # What has no end is looked at by itself.
        operations = [one for one in operations if not one.path.endswith("/Live/")]
        self.watch()
        begun = time.monotonic()
        for operation in sorted(operations, key=turn):
            failures = [failure for mode in EXAMPLES for failure in self.try_out(operation, mode)]
            counted = dict(sorted(self.statuses[operation.label].items()))
            self.checks(operation.label, not failures, "\n".join(failures[:1]) or counted)
        took = time.monotonic() - begun
        self.checks("that does not take long", took < MAX_SECONDS, f"{took:.0f} s")
        succeeded = [label for label, counter in self.statuses.items() if any(one < 300 for one in counter)]
        missing = sorted(set(self.statuses) - set(succeeded))
        enough = 100 * len(succeeded) >= MIN_SUCCEEDED_PERCENT * len(operations)
        self.checks("most operations succeeded at least once", enough, f"not: {missing}")
        self.checks("the service is ready as before", self.service.get("/readyz")[0] == 200)

    def watch(self):
        """What is going on is told at once, and of a conference what the document says."""
        with self.session.get(self.path("Live/"), stream=True, timeout=5) as reply:
            kind = reply.headers["Content-Type"]
            lines = reply.iter_lines(decode_unicode=True)
            names = [next(line for line in lines if line.startswith("event: ")) for _ in range(2)]
        self.checks("what is going on is told as events", kind == "text/event-stream", kind)
        self.checks("from the first", names == ["event: hello", "event: event"], names)
        refused = self.session.get(self.path("Live/?mpc_uuid=x"), timeout=5).status_code
        self.checks("a wrong parameter is refused", refused == 400, refused)

    def populate(self):
        """Makes one of everything; the ids that requests may have then."""
        members = f"MultiPartyCall/name_{NAME}/Participant/"
        add = {"role": "customer", "from": "1", "to": self.service.sip(NAME), "stay_alone": True}
        add |= {"status_callback_url": f"{self.url}/callback"}
        placed = [self.post(members, add)["calls"][0]["call_uuid"] for _ in range(3)]
        self.checks.eventually("three are in a conference", lambda: len(self.get(members)["objects"]) == 3)
        inside = {one["call_uuid"]: one["member_id"] for one in self.get(members)["objects"]}
        self.checks.eventually("callbacks are listed", lambda: self.get("Callbacks/")["objects"])
        recording = f"MultiPartyCall/name_{NAME}/Record/"
        recorded = self.post(recording, {"file_format": "wav"})["recording_id"]
        self.session.delete(self.path(recording), timeout=10)
        file = self.path(f"Recording/{recorded}.wav")
        self.checks.eventually("a recording is whole", lambda: self.session.get(file, timeout=10).ok)
        unanswered = {"from": "1", "to": self.silence(), "answer_url": self.url}
        endpoint = {"username": "phone", "password": "secret", "alias": "Phone"}
        return {
            "mpc": f"name_{NAME}",
            "recording_id": recorded,
            "extension": "wav",
            "member_id": inside[placed[0]],
            "call_uuid": placed[1],
            "request_uuid": self.post("Call/", unanswered)["request_uuid"],
            "callback_id": self.get("Callbacks/")["objects"][0]["callback_id"],
            "app_id": self.post("Application/", {"app_name": NAME})["app_id"],
            "endpoint_id": self.post("Endpoint/", endpoint)["endpoint_id"],
            "subauth_id": self.post("Subaccount/", {"name": NAME})["auth_id"],
        }

    def silence(self):
        """The address of a phone that says nothing."""
        self.silent.bind(("127.0.0.1", 0))
        return f"sip:nobody@127.0.0.1:{self.silent.getsockname()[1]}"

    def try_out(self, operation, mode):
        """Sends what `mode` makes of `operation`; what was wrong with the replies."""
        failures = []

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES[mode],
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            self.settle(case, mode)
            response = case.call(session=self.session, timeout=10)
            self.statuses[operation.label][response.status_code] += 1
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as failure:
                failures.append(str(failure))

        with contextlib.suppress(Unsatisfiable):  # Nothing can be wrong where nothing is asked for.
            ask()
        return failures

    def settle(self, case, mode):
        """Has `case` ask for what is there, by this account, and name no other machine."""
        known = {"auth_id": AUTH_ID} | (self.known if mode is GenerationMode.POSITIVE else {})
        case.path_parameters.update({key: known[key] for key in case.path_parameters if key in known})
        case.body, case.query = self.at_home(case.body), self.at_home(case.query)
        if isinstance(case.body, dict) and case.body.pop("call_uuid", None) and "to" not in case.body:
            case.body["call_uuid"] = self.known["call_uuid"]

    def at_home(self, value):
        """The same, with every URL on this machine."""
        if not isinstance(value, dict):
            return value
        at_home = f"{self.url}/answer"
        return {key: at_home if "://" in str(one) else one for key, one in value.items()}

    def get(self, path):
        return self.session.get(self.path(path), timeout=10).json()

    def post(self, path, body):
        return self.session.post(self.path(path), json=body, timeout=10).json()

    def path(self, path):
        return f"{self.service.url}/v1/Account/{AUTH_ID}/{path}"
