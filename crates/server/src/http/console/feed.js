// What is going on, told by the server as it happens.
import { account, credentials } from "./api.js";

/** The server gives a sign of life every two seconds; without one for so long, it is gone. */
const SILENCE_MS = 6000;
const RETRIES_MS = [300, 1000, 2000, 5000];
/** Least time that a connection lasts to count as one that works. */
const STEADY_MS = 10000;

/**
 * Opens the feed, of everything or of one MPC closely, until `close()`. `handlers` are by event name;
 * `handlers.state` is told `"live"`, and `"gone"` with why.
 */
export class Feed {
  #closed = new AbortController();

  constructor(mpc, handlers) {
    this.handlers = handlers;
    this.where = () => {
      const query = mpc ? `?mpc_uuid=${encodeURIComponent(mpc)}` : "";
      return `/v1/Account/${encodeURIComponent(account.get().id)}/Live/${query}`;
    };
    this.#run();
  }

  close() {
    this.#closed.abort();
  }

  async #run() {
    let failures = 0;
    while (!this.#closed.signal.aborted) {
      const began = performance.now();
      const why = await this.#read();
      if (this.#closed.signal.aborted) return;
      failures = performance.now() - began > STEADY_MS ? 0 : failures + 1;
      this.handlers.state?.("gone", why);
      const wait = RETRIES_MS[Math.min(failures, RETRIES_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Reads one connection to its end, and says why it ended. */
  async #read() {
    const silent = new AbortController();
    const signal = AbortSignal.any([this.#closed.signal, silent.signal]);
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS);
    };
    try {
      heard();
      const response = await fetch(this.where(), { ...credentials(), signal, cache: "no-store" });
      if (response.status === 401) dispatchEvent(new Event("mixminus-unknown"));
      if (!response.ok) return `the service answered ${response.status}`;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ;) {
        const { value, done } = await reader.read();
        if (done) return "the connection ended";
        heard();
        const events = (text + value).split("\n\n");
        text = events.pop();
        for (const event of events) {
          const [name, data] = parsed(event);
          if (name === "hello") this.handlers.state?.("live");
          if (name === "end") return data.reason;
          this.handlers[name]?.(data);
        }
      }
    } catch {
      return silent.signal.aborted ? "the service is silent" : "the service cannot be reached";
    } finally {
      clearTimeout(timer);
      silent.abort();
    }
  }
}

function parsed(event) {
  const [name, data] = event.split("\ndata: ");
  return [name.replace("event: ", ""), JSON.parse(data)];
}
