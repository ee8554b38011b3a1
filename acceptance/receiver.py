"""Callbacks to a receiver that misbehaves, from a service that is killed again
and again: what the receiver knows in the end is complete, in order and signed.
"""

import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import plivo.utils
from plivo import plivoxml

from conference import Desk
from node_client import Node
from service import AUTH_TOKEN

SEED = 4
KILLS = 10
CONTINUED_S = 90
# The URLs that are told, by turns, and by which method.
TOLD = [("/plain", "POST"), ("/query?x=1&b=a%20b", "POST"), ("/got?x=1", "GET")]


class Ear:
    """The receiver's process, and what it took."""

    def __init__(self, stage):
        self.port = stage.ports.one()
        self.log = stage.folder / "received"
        self.log.touch()
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        program = [
            sys.executable,
            Path(__file__).with_name("ear.py"),
            str(self.port),
            self.log,
            str(SEED + self.starts),
        ]
        self.process = subprocess.Popen(program)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def taken(self):
        """Each callback once, in the order in which it came first."""
        once = {}
        for line in self.log.read_text().splitlines():
            request = json.loads(line)
            once.setdefault(request["headers"]["Callback-Id"], request)
        return list(once.values())


def parameters(request):
    text = urlsplit(request["path"]).query + "&" + request["body"]
    return dict(parse_qsl(text, keep_blank_values=True))


def run(stage):
    desk = Desk(stage, "receiver", callbacks=f"retry_s = {CONTINUED_S * 10}").start()
    ear, node = Ear(stage), Node(stage.folder)
    chance = random.Random(SEED)
    print(f"     seed {SEED}")
    try:
        desk.phone("agent")
        conferences = [killed(desk, ear, number, chance) for number in range(KILLS)]
        whole(desk, ear, conferences)
        ordered(desk, ear, conferences)
        signed(desk, ear, node)
        readable(desk)
    finally:
        node.stop()
        ear.kill()
        desk.stop()


def killed(desk, ear, number, chance):
    """A conference in which something happens until the service is killed, and
    in every third one the receiver, too; its uuid, URL and method."""
    path, method = TOLD[number % len(TOLD)]
    name, agent = f"round {number}", desk.phones["agent"]
    desk.app.answer(
        "agent", plivoxml.ResponseElement().add(place(name, f"http://127.0.0.1:{ear.port}{path}", method))
    )
    desk.checks(f"{name}: the phone is in", agent.call(desk.service.sip("agent")))
    desk.checks.eventually("it is listed", lambda: desk.calls.list(friendly_name=name).objects)
    uuid = desk.calls.get(friendly_name=name).mpc_uuid
    for mute in (True, False) * 3:
        desk.calls.update_participant("all", uuid=uuid, mute=mute)
    time.sleep(chance.uniform(0, 1.0))
    if number % 3 == 2:
        ear.kill()
    desk.service.kill()
    agent.hang_up()
    if number % 3 == 2:
        ear.start()
    desk.service.start()
    return uuid, path, method


def place(name, url, method):
    return plivoxml.MultiPartyCallElement(
        name, role="Agent", stay_alone=True, status_callback_url=url, status_callback_method=method
    )


def whole(desk, ear, conferences):
    """Everything that happened arrives, the end of each conference included."""
    wanted = {uuid for uuid, *_ in conferences}

    def ended():
        told = [parameters(one) for one in ear.taken()]
        return {params["MPCUUID"] for params in told if params["EventName"] == "MPCEnd"}

    desk.checks.eventually("the end of every conference is told", lambda: ended() == wanted, CONTINUED_S)


def ordered(desk, ear, conferences):
    taken = ear.taken()
    names = ["MPCInitialized", "MPCStart", "ParticipantJoin"]
    names += ["ParticipantMute", "ParticipantUnmute"] * 3 + ["ParticipantExit", "MPCEnd"]
    for number, (uuid, path, method) in enumerate(conferences):
        mine = [one for one in taken if parameters(one)["MPCUUID"] == uuid]
        events = [parameters(one)["EventName"] for one in mine]
        desk.checks(
            f"round {number}: what happened is told once and in order", events == names, " ".join(events)
        )
        sequence = [int(parameters(one)["SequenceNumber"]) for one in mine]
        desk.checks(
            f"round {number}: it is numbered without a gap",
            sequence == list(range(1, len(names) + 1)),
            sequence,
        )
        where = {(urlsplit(one["path"]).path, one["method"]) for one in mine}
        desk.checks(
            f"round {number}: it is told where it was asked to",
            where == {(urlsplit(path).path, method)},
            where,
        )
    lines = len(ear.log.read_text().splitlines())
    desk.checks(
        "some of it was told more than once, by the same id", lines > len(taken), f"{lines - len(taken)}"
    )
    desk.checks(
        "nothing else is told", len(taken) == len(conferences) * len(names), f"{len(taken)} in {lines}"
    )


def signed(desk, ear, node):
    """Both packages' validators accept every signature; those of V3 for the URL
    with its port and, for validators that drop it, without."""
    valid = defaultdict(int)
    taken = ear.taken()
    for one in taken:
        form = dict(parse_qsl(one["body"], keep_blank_values=True))
        header = {name.removeprefix("X-Plivo-Signature-"): value for name, value in one["headers"].items()}
        url = f"http://127.0.0.1:{ear.port}{one['path']}"
        v2 = (url, header["V2-Nonce"], header["V2"], AUTH_TOKEN)
        valid["Python", "V2"] += plivo.utils.validate_signature(*v2)
        valid["Node", "V2"] += node.valid("validateSignature", *v2)
        for version in ("V3", "Ma-V3"):
            for where, signed_url in (("", url), (" without the port", url.replace(f":{ear.port}", ""))):
                v3 = (one["method"], signed_url, header["V3-Nonce"], AUTH_TOKEN, header[version], form)
                valid["Python", version + where] += plivo.utils.validate_v3_signature(*v3)
                valid["Node", version + where] += node.valid("validateV3Signature", *v3)
    for (package, version), count in sorted(valid.items()):
        seen = f"{count} of {len(taken)}"
        desk.checks(f"{package} accepts every {version} signature", count == len(taken) > 0, seen)


def readable(desk):
    """The service says itself that all was delivered."""
    left = lambda status: desk.client.request("GET", ("Callbacks",), {"status": status}).objects  # noqa: E731
    desk.checks.eventually("no callback is pending", lambda: not left("pending"), 20)
    desk.checks("none was given up", not left("dead"))
