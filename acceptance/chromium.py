"""Chromium without a screen, with a voice as its microphone, by its debugging protocol."""

import json
import subprocess
import time
import urllib.request

from websockets.sync.client import connect

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
JOIN = """
window.connection = new RTCPeerConnection();
const terms = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const microphone = await navigator.mediaDevices.getUserMedia({ audio: terms });
microphone.getTracks().forEach((track) => connection.addTrack(track, microphone));
connection.ontrack = (event) => {
  window.player = new Audio();
  player.srcObject = event.streams[0];
  player.play();
};
await connection.setLocalDescription();
const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${TOKEN}` };
const reply = await fetch("/whip", { method: "POST", headers, body: connection.localDescription.sdp });
window.session = reply.headers.get("Location");
await connection.setRemoteDescription({ type: "answer", sdp: await reply.text() });
return reply.status;
"""
RESTART = """
const offer = await connection.createOffer({ iceRestart: true });
await connection.setLocalDescription(offer);
const of = (text, name) => text.match(new RegExp(`a=${name}:(.*)`))[1].trim();
const names = ["ice-ufrag", "ice-pwd"];
const said = names.map((name) => `a=${name}:${of(offer.sdp, name)}`);
const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" };
const body = [...said, "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", ""].join("\\r\\n");
const reply = await fetch(session, { method: "PATCH", headers, body });
const fragment = await reply.text();
let sdp = connection.currentRemoteDescription.sdp;
for (const name of names) {
  sdp = sdp.replace(new RegExp(`a=${name}:.*`, "g"), `a=${name}:${of(fragment, name)}`);
}
await connection.setRemoteDescription({ type: "answer", sdp });
return reply.status;
"""
# The energy of what was heard, and the packets that came and did not.
HEARD = """
const all = [...(await connection.getStats()).values()];
const heard = all.find((one) => one.type === "inbound-rtp");
return [heard.totalAudioEnergy, heard.packetsReceived, heard.packetsLost];
"""


class Chromium:
    def __init__(self, folder, port, voice):
        log = (folder / "chromium.log").open("wb")
        self.process = subprocess.Popen(
            [
                "chromium",
                *FLAGS,
                f"--use-file-for-fake-audio-capture={voice.at(48000)}",
                f"--remote-debugging-port={port}",
                f"--user-data-dir={folder / 'chromium'}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.socket = connect(self._page(port), max_size=None)
        self._serial = 0

    def _page(self, port):
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=2) as reply:
                    pages = [page for page in json.load(reply) if page["type"] == "page"]
                    return pages[0]["webSocketDebuggerUrl"]
            except (OSError, IndexError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError("chromium did not start") from None
                time.sleep(0.1)

    def command(self, method, **params):
        self._serial += 1
        self.socket.send(json.dumps({"id": self._serial, "method": method, "params": params}))
        while (reply := json.loads(self.socket.recv(30))).get("id") != self._serial:
            pass
        return reply

    def open(self, url):
        self.command("Page.navigate", url=url)
        time.sleep(1)

    def run(self, code):
        """What `code`, the body of a function, returns."""
        body = f"(async () => {{ {code} }})()"
        reply = self.command("Runtime.evaluate", expression=body, awaitPromise=True, returnByValue=True)
        return reply["result"]["result"].get("value", reply)

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
