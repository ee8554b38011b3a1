// A phone made of JsSIP as published: orders come as lines of JSON, what happens goes out as such.
"use strict";

const readline = require("readline");
const { connections } = require("./peer");

const given = JSON.parse(process.argv[2]);
// What a page has of its browser.
globalThis.window = globalThis;
globalThis.WebSocket = require("ws");
globalThis.RTCPeerConnection = connections(given.voice, given.heard);
globalThis.RTCSessionDescription = class {
  constructor(description) {
    Object.assign(this, description);
  }
};
const JsSIP = require("jssip");

const microphone = { kind: "audio", enabled: true };
const mediaStream = { getTracks: () => [microphone] };

function tell(...event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

const agent = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(`ws://${given.address}/sip`)],
  uri: `sip:${given.user}@phone.plivo.com`,
  password: given.password,
});
let call = null;

agent.on("registered", ({ response }) => tell("registered", response.status_code));
agent.on("registrationFailed", ({ response, cause }) => tell("registered", response ? response.status_code : cause));
agent.on("newRTCSession", ({ originator, session }) => {
  call = session;
  call.on("confirmed", () => tell("established", 200));
  call.on("failed", ({ message }) => tell("closed", message ? message.status_code : 0));
  call.on("ended", () => tell("closed", 200));
  if (originator === "remote") call.answer({ mediaStream });
});

const TRANSPORTS = { rtp: "RFC2833", info: "INFO" };
const orders = {
  call: (target) => agent.call(target, { mediaStream }),
  hold: () => call.hold(),
  resume: () => call.unhold(),
  digit: (digit, by) => call.sendDTMF(digit, { transportType: TRANSPORTS[by] }),
  hangup: () => call.terminate(),
  transfer: (target) => {
    const answered = ({ response }) => tell("transfer", response ? response.status_code : 0);
    call.refer(target, { eventHandlers: { requestFailed: answered, requestSucceeded: answered } });
  },
  quit: () => {
    agent.stop();
    agent.on("disconnected", () => process.exit(0));
  },
};

agent.start();
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [order, ...rest] = JSON.parse(line);
  orders[order](...rest);
});
