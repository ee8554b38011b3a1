"""The `plivo` package as published, told where the service is."""

import plivo
import plivo.rest.client as client

import shapes
from service import AUTH_ID, AUTH_TOKEN

BASE_ADDRESSES = (
    "PLIVO_API_BASE_URI",
    "API_VOICE_BASE_URI",
    "API_VOICE_BASE_URI_FALLBACK_1",
    "API_VOICE_BASE_URI_FALLBACK_2",
)


def client_of(service, auth_id=AUTH_ID, auth_token=AUTH_TOKEN):
    """The SDK against `service`."""
    for name in BASE_ADDRESSES:
        if not hasattr(client, name):
            raise AttributeError(f"plivo.rest.client has no {name}")
        setattr(client, name, f"{service.url}/v1/Account")
    return plivo.RestClient(auth_id, auth_token)


class Replies:
    """What the service answers to a client, as it came, compared with what it should be."""

    def __init__(self, checks, client):
        self.checks = checks
        self.last = None
        client.session.hooks["response"].append(self.keep)

    def keep(self, response, **_):
        self.last = response

    def __call__(self, what, status, shape, ask):
        """Checks the reply to what `ask` asks: its status, and each key of its
        body; 204 has none. Gives what the SDK makes of it, None when it raises."""
        self.last = None
        try:
            result = ask()
        except Exception as error:  # noqa: BLE001 - what was answered is reported
            result, raised = None, f"{type(error).__name__}: {error}"
        else:
            raised = ""
        if self.last is None:
            self.checks(f"{what} is answered", False, raised)
            return None
        seen = f"{self.last.status_code} {self.last.text[:200]}"
        self.checks(f"{what} is answered {status}", self.last.status_code == status, seen)
        if self.last.status_code == status and shape is not None:
            different = shapes.wrong(shape, self.last.json())
            self.checks(f"{what} has the documented reply", not different, different)
        return result


class Used:
    """A resource of the SDK that remembers which of its methods were asked for."""

    def __init__(self, resource):
        self._resource, self._used = resource, set()

    def __getattr__(self, name):
        self._used.add(name)
        return getattr(self._resource, name)

    def unused(self):
        """The methods that were not."""
        own = vars(type(self._resource))
        return {name for name, one in own.items() if callable(one) and name[0] != "_"} - self._used
