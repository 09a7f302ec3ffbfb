// Run one call per line of standard input through the AWS SDK for JavaScript; answer each with one.
//
// `node driver.cjs ENVIRONMENT json|rpc-v2-cbor` takes the SDK from the environment's folder and is
// configured by the usual AWS_ variables. A line is {"operation": "GetEnrollmentStatus",
// "arguments": {...}}; the answers are those of driver.py.

"use strict";

const { createRequire } = require("node:module");
const readline = require("node:readline");

const installed = createRequire(`${process.argv[2]}/package.json`);
const sdk = installed("@aws-sdk/client-compute-optimizer");
const { SmithyRpcV2CborProtocol } = installed("@smithy/core/cbor");

const protocols = { json: {}, "rpc-v2-cbor": { protocol: SmithyRpcV2CborProtocol } };

function connected() {
  const client = new sdk.ComputeOptimizerClient({
    endpoint: process.env.AWS_ENDPOINT_URL,
    region: process.env.AWS_DEFAULT_REGION,
    ...protocols[process.argv[3]],
  });
  const sent = [];
  const noted = (next) => (args) => {
    sent.push(args.request.headers["smithy-protocol"] ?? "json");
    return next(args);
  };
  client.middlewareStack.add(noted, { step: "finalizeRequest", priority: "low", name: "noted" });
  return { client, sent };
}

async function answered(client, { operation, arguments: asked }) {
  try {
    const { $metadata, ...response } = await client.send(new sdk[`${operation}Command`](asked));
    return { response };
  } catch (error) {
    if (error.$metadata === undefined) throw error;
    return {
      error: error.name,
      caught_by_name: typeof sdk[error.name] === "function" && error instanceof sdk[error.name],
      response: {
        Error: { Code: error.name, Message: error.message },
        ResponseMetadata: { HTTPStatusCode: error.$metadata.httpStatusCode },
      },
    };
  }
}

// Moments are spelled so that they can be told from text and numbers, in both directions.

function spelled(value) {
  if (value instanceof Date) return { $datetime: value.getTime() / 1000 };
  if (Array.isArray(value)) return value.map(spelled);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spelled(inner)]));
}

function understood(name, value) {
  return typeof value?.$datetime === "number" ? new Date(value.$datetime * 1000) : value;
}

async function main() {
  const { client, sent } = connected();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = await answered(client, JSON.parse(line, understood));
    console.log(JSON.stringify({ ...spelled(answer), protocol: sent.at(-1) }));
  }
}

main();
