// Requests to the public API, each of which can be seen as curl.
import { h, button, fill, setText, say } from "./dom.js";

const KEY = "mixminus-account";
/** Requests that are remembered to be shown. */
const SHOWN = 20;

/** The credentials: this tab has them, for as long as it is open. */
export const account = {
  get() {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  },
  set(id, token) {
    sessionStorage.setItem(KEY, JSON.stringify({ id, token }));
  },
  forget() {
    sessionStorage.removeItem(KEY);
  },
};

/** A refusal, with its status; 0 when nobody answered. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** What a request needs to be one of the account's. */
export function credentials({ id, token } = account.get()) {
  // Without the browser's own: a wrong password must not open its dialog, and no cookie is wanted.
  return { headers: { Authorization: `Basic ${base64(`${id}:${token}`)}` }, credentials: "omit" };
}

export const path = (...segments) =>
  `/v1/Account/${encodeURIComponent(account.get().id)}/${segments.map(encodeURIComponent).join("/")}/`;

/** Sends a request below the account; the reply's JSON, or nothing for 204. */
export async function request(method, where, body) {
  const began = performance.now();
  const { headers, ...rest } = credentials();
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(where, { method, headers, body: body && JSON.stringify(body), ...rest });
  } catch {
    throw new Refused(0, "The service does not answer.");
  }
  if (method !== "GET")
    remember({ method, where, body, status: response.status, ms: performance.now() - began });
  const text = response.status === 204 ? "" : await response.text();
  const json =
    text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text || null;
  if (!response.ok) {
    if (response.status === 401) dispatchEvent(new Event("mixminus-unknown"));
    throw new Refused(response.status, json?.error ?? `The service answered ${response.status}.`);
  }
  return json;
}

/** What a URL of the API holds, as something that a picture or a player can be given. */
export async function blob(where) {
  const response = await fetch(where, credentials());
  if (!response.ok) throw new Refused(response.status, `There is none (${response.status}).`);
  return URL.createObjectURL(await response.blob());
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The request for a shell; the credentials are variables, so that it can be shown and kept. */
export function curl({ method, where, body }) {
  const id = encodeURIComponent(account.get().id);
  const below = where.slice(`/v1/Account/${id}/`.length);
  const url = `${location.origin}/v1/Account/`;
  const parts = ["curl", '-u "$PLIVO_AUTH_ID:$PLIVO_AUTH_TOKEN"', `-X ${method}`];
  if (body) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return [...parts, `${quoted(url)}"$PLIVO_AUTH_ID"${quoted(`/${below}`)}`].join(" ");
}

const sent = [];

function remember(entry) {
  sent.unshift(entry);
  sent.length = Math.min(sent.length, SHOWN);
  show();
}

const drawer = h("details", { class: "drawer" });
const latest = h("code", { class: "latest" }, "Each action is a request to the API and shows here as curl.");
const list = h("ol");
drawer.append(h("summary", {}, h("b", {}, "curl"), latest), list);

function line(entry) {
  const text = curl(entry);
  const copy = button("Copy", async () => {
    await navigator.clipboard?.writeText(text);
    say("Copied");
  });
  const took = h(
    "span",
    { class: entry.status < 400 ? "good" : "bad" },
    `${entry.status} in ${Math.round(entry.ms)} ms`,
  );
  return h("li", {}, h("div", { class: "row" }, took, copy), h("pre", { tabindex: "0" }, text));
}

function show() {
  setText(latest, `${sent[0].status}  ${curl(sent[0])}`);
  fill(list, sent.map(line));
}

/** The requests of this page, the latest first. */
export const requests = drawer;
