"""Many callers of SIPp's: scenarios put together from their steps, and what comes of them."""

import subprocess
from pathlib import Path

HEAD = """\
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]"""
INVITE = f"""
  <send retrans="500">
    <![CDATA[
      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{HEAD}
      To: <sip:[service]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=sipp 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [rtpstream_audio_port] RTP/AVP 0
      a=rtpmap:0 PCMU/8000
    ]]>
  </send>
  <recv response="100" optional="true"/>"""
RINGS = '\n  <recv response="180"/>'
MAY_RING = '\n  <recv response="180" optional="true"/>'
ANSWERED = MAY_RING + '\n  <recv response="200" rrs="true"/>'
TALK = '\n  <nop><action><exec rtp_stream="voice.ulaw,-1,0"/></action></nop>'
STAY = "\n  <pause/>"
OK = """
  <send>
    <![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>
  </send>"""
HUNG_UP = f'\n  <recv request="BYE"/>{OK}'


def request(method, cseq, target="[next_url]", branch="[branch]", tag="[peer_tag_param]", again=""):
    """A request after the first."""
    return f"""
  <send{again}>
    <![CDATA[
      {method} {target} SIP/2.0
{HEAD.replace("[branch]", branch)}
      To: <sip:[service]@[remote_ip]:[remote_port]>{tag}
      Call-ID: [call_id]
      CSeq: {cseq} {method}
      Max-Forwards: 70
      Content-Length: 0
    ]]>
  </send>"""


ACK = request("ACK", 1)
BYE = request("BYE", 2, again=' retrans="500"') + '\n  <recv response="200"/>'


def of_invite(method, steps_before, **more):
    """A CANCEL, or the ACK of a refusal: they are of their INVITE's transaction, so many steps after it."""
    return request(method, 1, "sip:[service]@[remote_ip]:[remote_port]", f"[branch-{steps_before}]", **more)


def timed(steps):
    """`steps` with the time from INVITE to answer written down."""
    return steps.replace("<send", '<send start_rtd="answer"', 1).replace(
        'rrs="true"', 'rrs="true" rtd="answer"', 1
    )


class Callers:
    """SIPp that calls `user` so often, so many times a second, by a scenario of `steps`."""

    def __init__(self, stage, service, name, steps, user, **load):
        self.folder = service.folder / name
        self.folder.mkdir()
        scenario = f'<?xml version="1.0"?>\n<scenario name="{name}">{steps}\n</scenario>\n'
        (self.folder / "scenario.xml").write_text(scenario)
        count, rate, stay_ms = load["count"], load["rate"], load.get("stay_ms", 0)
        voice = stage.voices["agent"].wav
        subprocess.run(["sox", voice, "-t", "ul", self.folder / "voice.ulaw"], check=True)
        command = [
            "sipp", f"127.0.0.1:{service.sip_port}", "-sf", "scenario.xml", "-i", "127.0.0.1",
            "-mi", "127.0.0.1", "-p", str(stage.ports.one()), "-mp", str(stage.ports.block(2 * count + 4)),
            "-s", user, "-m", str(count), "-r", str(rate), "-l", str(count), "-d", str(stay_ms),
            "-timeout", str(int(count / rate + stay_ms / 1000 + 60)), "-nostdin", "-trace_err", "-error_file",
            "errors", "-trace_stat", "-stf", "statistics", "-fd", "60", "-trace_rtt", "-rtt_freq", "1",
        ]  # fmt: skip
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)

    def wait(self):
        """Waits for its end; its counts, by name."""
        self.process.wait()
        lines = (self.folder / "statistics").read_text().splitlines()
        row = dict(zip(lines[0].split(";"), lines[-1].split(";"), strict=False))
        return {name: int(value) for name, value in row.items() if value.isdecimal()}

    def answers_ms(self):
        """From each INVITE to its answer, sorted."""
        table = next(self.folder.glob("*_rtt.csv")).read_text().splitlines()[1:]
        return sorted(float(line.split(";")[1]) for line in table)

    def stop(self):
        self.process.kill()
        self.process.wait()


def share(sorted_values, part):
    """The value below which this part of them is."""
    return sorted_values[min(int(part * len(sorted_values)), len(sorted_values) - 1)]


class Vitals:
    """What a process holds: memory, threads, and UDP ports."""

    def __init__(self, process):
        status = Path(f"/proc/{process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        self.memory_kb = int(fields["VmRSS"].split()[0])
        self.threads = int(fields["Threads"])
        ports = Path(f"/proc/{process.pid}/net/udp").read_text().splitlines()[1:]
        inodes = {line.split()[9] for line in ports}
        opened = [str(one.readlink()) for one in Path(f"/proc/{process.pid}/fd").iterdir()]
        self.ports = sum(one.startswith("socket:") and one[8:-1] in inodes for one in opened)
