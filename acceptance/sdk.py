"""The `plivo` package as published, told where the service is."""

import plivo
import plivo.rest.client as client

from service import AUTH_ID, AUTH_TOKEN

BASE_ADDRESSES = (
    "PLIVO_API_BASE_URI",
    "API_VOICE_BASE_URI",
    "API_VOICE_BASE_URI_FALLBACK_1",
    "API_VOICE_BASE_URI_FALLBACK_2",
)


def multi_party_calls(service, auth_id=AUTH_ID, auth_token=AUTH_TOKEN):
    """The SDK's MPC resource against `service`."""
    for name in BASE_ADDRESSES:
        if not hasattr(client, name):
            raise AttributeError(f"plivo.rest.client has no {name}")
        setattr(client, name, f"{service.url}/v1/Account")
    return plivo.RestClient(auth_id, auth_token).multi_party_calls
