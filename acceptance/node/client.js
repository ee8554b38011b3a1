// The `plivo` package as published, told what to do: a line of JSON in, a line of JSON out.
"use strict";

const axios = require("axios");
const readline = require("readline");
// The package logs to the console; the answers go to standard output alone.
console.log = console.error;
const plivo = require("plivo");

const [authId, authToken, proxy] = process.argv.slice(2);
const client = new plivo.Client(authId, authToken, proxy ? { proxy } : {});

// What the service answered, before the package makes something of it.
let reply = null;
function watch(instance) {
  const keep = (response) => {
    reply = response && { status: response.status, body: response.data };
  };
  instance.interceptors.response.use(
    (response) => {
      keep(response);
      return response;
    },
    (error) => {
      keep(error.response);
      throw error;
    },
  );
  return instance;
}
watch(axios);
const create = axios.create;
axios.create = (...settings) => watch(create(...settings));

const orders = {
  // Calls a method of a resource: ["call", "multiPartyCalls.get", arguments].
  async call(path, args) {
    const [resource, method] = path.split(".");
    return client[resource][method](...args);
  },
  // Names the methods of some resources: ["methods", ["calls", …]].
  methods(resources) {
    const own = (name) => Object.getOwnPropertyNames(Object.getPrototypeOf(client[name]));
    const helpers = ["constructor", "makeMpcId"];
    return resources.flatMap((name) =>
      own(name).filter((one) => !helpers.includes(one)).map((one) => `${name}.${one}`),
    );
  },
  // Prints a document: ["build", [[element, body or null, attributes, steps inside …], …]].
  build(steps) {
    return nest(plivo.Response(), steps).toXML();
  },
  // Asks a validator: ["valid", "validateV3Signature", arguments].
  valid(validator, args) {
    return plivo[validator](...args);
  },
};

function nest(parent, steps) {
  for (const [element, body, attributes, ...inside] of steps) {
    nest(parent[`add${element}`](...(body === null ? [] : [body]), attributes), inside);
  }
  return parent;
}

async function obey(line) {
  const [order, ...rest] = JSON.parse(line);
  reply = null;
  try {
    const value = await orders[order](...rest);
    return JSON.stringify({ value, meta: value && value.meta, reply });
  } catch (error) {
    return JSON.stringify({ error: String(error.message || error), status: error.status, reply });
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${await obey(line)}\n`);
  }
})();
