"""A browser's leg by aiortc: it joins by WHIP, plays one voice, records what it hears."""

import asyncio
import json
import re
import threading
import time
import urllib.error
import urllib.request

import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError
from av import AudioResampler

import sound

# What was on its way when something changed has arrived after this long.
SETTLE_SECONDS = 0.8


class Browser:
    def __init__(self, url, voice, token=None):
        """Joins at `url`, the endpoint of WHIP or one of a conference."""
        self.url = url
        self.voice = voice
        self.token = token
        self.samples = []
        self.session = None
        self.states = []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def join(self, change=lambda offer: offer):
        """The status that the offer is answered with, `change`d before it is sent."""
        return self._wait(self._join(change))

    async def _join(self, change):
        self.connection = RTCPeerConnection()
        note = lambda: self.states.append(self.connection.connectionState)  # noqa: E731
        self.connection.on("connectionstatechange", note)
        self.connection.on("track", lambda track: asyncio.ensure_future(self._hear(track)))
        self.connection.addTrack(MediaPlayer(str(self.voice.at(sound.RATE))).audio)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = change(self.connection.localDescription.sdp)
        status, headers, answer = await asyncio.to_thread(
            self.ask, "POST", self.url, offer, {"Content-Type": "application/sdp"}
        )
        if status == 201:
            self.session = re.sub(r"(https?://[^/]+).*", r"\1", self.url) + headers["Location"]
            self.tag = headers["ETag"]
            await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return status

    async def _hear(self, track):
        resampler = AudioResampler(format="s16", layout="mono", rate=sound.RATE)
        while track.readyState == "live":
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.samples.extend(part.to_ndarray().flatten() for part in resampler.resample(frame))

    def ask(self, method, url, body=None, headers=None):
        """Status, headers and text of a request with the token."""
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = body.encode() if body is not None else None
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=25) as reply:
                return reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def connected(self, seconds=10):
        return self._until("connected", seconds)

    def left_alone(self, seconds=10):
        """Whether the connection is over without its doing."""
        return self._until("closed", seconds)

    def _until(self, state, seconds):
        async def seen():
            while state not in self.states:
                await asyncio.sleep(0.05)

        try:
            self._wait(asyncio.wait_for(seen(), seconds))
            return True
        except TimeoutError:
            return False

    def heard(self):
        return np.concatenate([*self.samples, []]).astype(float)

    def listen(self, seconds=2.5, settle=SETTLE_SECONDS):
        """What is heard from `settle` seconds after now."""
        return listen([self], seconds, settle)[0]

    def close(self):
        """As a page that is closed: nobody tells the service by HTTP."""
        self._wait(self.connection.close())

    def _wait(self, what):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(30)

    def stop(self):
        self.close()
        self.loop.call_soon_threadsafe(self.loop.stop)


def listen(browsers, seconds=2.5, settle=SETTLE_SECONDS):
    """What each of `browsers` hears at the same time."""
    time.sleep(settle)
    starts = [len(browser.heard()) for browser in browsers]
    time.sleep(seconds)
    return [browser.heard()[start:] for browser, start in zip(browsers, starts, strict=True)]


def token(service, auth, **terms):
    """A join token, or the status that refuses it."""
    request = urllib.request.Request(
        f"{service.url}/v1/Account/{auth[0]}/JoinToken/",
        json.dumps(terms).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, service.url, *auth)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(request, timeout=5) as reply:
        return json.load(reply)["token"]
