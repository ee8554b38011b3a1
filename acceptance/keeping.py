"""What is kept when the process ends, in order or not."""

import conference
from conference import NAME


def run(stage):
    desk = conference.Desk(stage, "keeping").start()
    try:
        desk.offer("agent", "Agent", stay_alone=True)
        desk.offer("customer", "Customer", stay_alone=True, status_callback_url=desk.events_url)
        desk.phone("agent")
        desk.phone("customer")
        ended = restart(desk)
        drained = drain(desk)
        killed = kill(desk)
        desk.checks("three conferences of one name are three", len({ended, drained, killed}) == 3)
    finally:
        desk.stop()


def meet(desk):
    """Two in a conference; its uuid."""
    for role in ("agent", "customer"):
        desk.checks(f"the {role} is in", desk.phones[role].call(desk.service.sip(role)))
    uuid = desk.calls.get(friendly_name=NAME).mpc_uuid
    joined = {"EventName": "ParticipantJoin", "MPCUUID": uuid, "ParticipantRole": "Customer"}
    desk.checks("their arrival is told", desk.app.callback(**joined) is not None)
    desk.checks("both are listed", sorted(desk.members()) == ["agent", "customer"])
    return uuid


def restart(desk):
    uuid = meet(desk)
    desk.calls.stop(uuid=uuid)
    before = desk.calls.get(uuid=uuid)
    desk.checks("a service with nothing to do drains at once", desk.service.drain(5) == 0)
    desk.service.start()
    after = desk.calls.get(uuid=uuid)
    for field in (
        "status",
        "friendly_name",
        "creation_time",
        "end_time",
        "duration",
        "termination_cause_code",
    ):
        same = getattr(before, field) == getattr(after, field)
        desk.checks(f"after a restart {field} is as before", same, getattr(after, field))
    members = desk.calls.list_participants(uuid=uuid).objects
    desk.checks("its participants are kept", sorted(one.role for one in members) == ["agent", "customer"])
    return uuid


def drain(desk):
    uuid = meet(desk)
    marks = {role: len(phone.events) for role, phone in desk.phones.items()}
    desk.checks("a service with live calls drains", desk.service.drain() == 0)
    for role, phone in desk.phones.items():
        desk.checks(f"the {role} was hung up", phone.closed(2, marks[role]) is not None)
    desk.service.start()
    desk.checks("what was live is Ended", desk.calls.get(uuid=uuid).status == "Ended")
    return uuid


def kill(desk):
    uuid = meet(desk)
    desk.service.kill()
    for phone in desk.phones.values():
        phone.hang_up()
    desk.service.start()
    call = desk.calls.get(uuid=uuid)
    desk.checks("after kill -9 what was live is Ended", call.status == "Ended", call.status)
    desk.checks(
        "and has an end and a cause", call.end_time is not None and call.termination_cause is not None
    )
    members = desk.calls.list_participants(uuid=uuid).objects
    gone = [one.exit_cause for one in members if one.exit_time is not None]
    desk.checks("its participants left with it", len(gone) == 2 and all(gone), gone)
    told = desk.app.callback(seconds=10, EventName="MPCEnd", MPCUUID=uuid)
    desk.checks("its end is told after the restart", told is not None)
    meet(desk)
    desk.checks("the name is free again", desk.calls.get(friendly_name=NAME).mpc_uuid != uuid)
    return uuid
