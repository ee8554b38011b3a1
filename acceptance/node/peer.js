// What a browser has for calls, as far as JsSIP asks for it, with plain RTP in G.711 (µ-law) beneath: plays a
// voice, writes down what it hears.
"use strict";

const dgram = require("dgram");
const fs = require("fs");

const SAMPLES = 160;
const PACKET_MS = 20;
const DIGITS = "0123456789*#ABCD";
const EVENT_TYPE = 101;
const BIAS = 0x84;

function encode(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32635) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function decode(byte) {
  const bits = ~byte;
  const magnitude = (((bits & 0x0f) << 3) + BIAS) << ((bits >> 4) & 7);
  return bits & 0x80 ? BIAS - magnitude : magnitude - BIAS;
}

const DECODED = Int16Array.from({ length: 256 }, (_, byte) => decode(byte));
const SILENCE = Buffer.alloc(SAMPLES, 0xff);

// The voice of a WAV file, in packets.
function packets(path) {
  const data = fs.readFileSync(path).subarray(44);
  const voice = Buffer.alloc(data.length >> 1);
  for (let at = 0; at < voice.length; at++) voice[at] = encode(data.readInt16LE(2 * at));
  return Array.from({ length: Math.floor(voice.length / SAMPLES) }, (_, index) =>
    voice.subarray(index * SAMPLES, (index + 1) * SAMPLES),
  );
}

// The header of a WAV file of 8 kHz whose length is not known yet.
function header() {
  const head = Buffer.alloc(44);
  head.write("RIFF....WAVEfmt ", 0, "latin1");
  [[16, 16], [24, 8000], [28, 16000], [40, 0xffffffff]].forEach(([at, value]) => head.writeUInt32LE(value, at));
  [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, value]) => head.writeUInt16LE(value, at));
  head.write("data", 36, "latin1");
  return head;
}

// Makes the class of connections that play the file `voice` and write what they hear to the file `heard`.
function connections(voice, heard) {
  const spoken = packets(voice);
  return class PeerConnection extends EventTarget {
    iceGatheringState = "complete";
    iceConnectionState = "connected";
    signalingState = "stable";
    localDescription = null;
    #socket = dgram.createSocket("udp4");
    #bound = new Promise((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    #senders = [];
    #far = null;
    #timer = null;
    #count = 0;
    #version = 0;
    #pressed = [];

    constructor() {
      super();
      fs.writeFileSync(heard, header());
      this.#socket.on("message", (packet) => this.#hear(packet));
    }

    addTrack(track) {
      const dtmf = { toneBuffer: "", insertDTMF: (tones) => this.#press(tones) };
      this.#senders.push({ track, dtmf });
    }

    getSenders() {
      return this.#senders;
    }

    async #describe(type) {
      await this.#bound;
      const { port } = this.#socket.address();
      const lines = [
        "v=0", `o=- 1 ${++this.#version} IN IP4 127.0.0.1`, "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        `m=audio ${port} RTP/AVP 0 ${EVENT_TYPE}`, "a=rtpmap:0 PCMU/8000",
        `a=rtpmap:${EVENT_TYPE} telephone-event/8000`, "a=sendrecv", "",
      ];
      return { type, sdp: lines.join("\r\n") };
    }

    createOffer() {
      return this.#describe("offer");
    }

    createAnswer() {
      return this.#describe("answer");
    }

    async setLocalDescription(description) {
      this.localDescription = description;
      this.signalingState = description.type === "offer" ? "have-local-offer" : "stable";
    }

    async setRemoteDescription({ type, sdp }) {
      this.signalingState = type === "offer" ? "have-remote-offer" : "stable";
      this.#far = { port: Number(/^m=audio (\d+)/m.exec(sdp)[1]), address: /^c=IN IP4 (\S+)/m.exec(sdp)[1] };
      if (!this.#timer) {
        const begun = performance.now();
        // Timers are late; what is due is sent at once.
        this.#timer = setInterval(() => {
          while (this.#count < (performance.now() - begun) / PACKET_MS) this.#send();
        }, PACKET_MS);
      }
    }

    #send() {
      const speaks = this.#senders.some(({ track }) => track.enabled);
      const event = this.#pressed.shift();
      const head = Buffer.alloc(12);
      head.writeUInt8(0x80, 0);
      head.writeUInt8(event ? EVENT_TYPE : 0, 1);
      head.writeUInt16BE(this.#count & 0xffff, 2);
      head.writeUInt32BE((event ? event.begun : this.#count) * SAMPLES, 4);
      head.writeUInt32BE(0x6a73, 8);
      const body = event ? event.payload : speaks ? spoken[this.#count % spoken.length] : SILENCE;
      this.#socket.send([head, body], this.#far.port, this.#far.address);
      this.#count++;
    }

    // Events of 100 ms (RFC 4733), each end told three times, 100 ms apart.
    #press(tones) {
      for (const tone of tones) {
        const begun = this.#count + this.#pressed.length;
        for (let tick = 1; tick <= 8; tick++) {
          const payload = Buffer.from([DIGITS.indexOf(tone), tick > 5 ? 0x8a : 0x0a, 0, 0]);
          payload.writeUInt16BE(Math.min(tick, 5) * SAMPLES, 2);
          this.#pressed.push({ payload, begun });
        }
        this.#pressed.push(...Array(5).fill(undefined));
      }
    }

    #hear(packet) {
      if (packet.length < 12 || (packet[1] & 0x7f) !== 0) return;
      const samples = Buffer.alloc(2 * (packet.length - 12));
      packet.subarray(12).forEach((byte, at) => samples.writeInt16LE(DECODED[byte], 2 * at));
      fs.appendFileSync(heard, samples);
    }

    close() {
      if (this.signalingState === "closed") return;
      this.signalingState = "closed";
      clearInterval(this.#timer);
      this.#bound.then(() => this.#socket.close());
    }
  };
}

module.exports = { connections };
