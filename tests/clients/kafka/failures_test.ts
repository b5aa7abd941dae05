import assert from "node:assert/strict";
import { type AddressInfo, createServer as createPlainServer, type Server } from "node:net";
import { createServer } from "node:tls";
import { AuthenticationError, NetworkError, ResponseError } from "@platformatic/kafka";
import {
  faultOfRemedy,
  kafkaError,
  nameOf,
  type Remedy,
  remedyOf,
  topicAdvice,
} from "../../../lib/clients/kafka/failures.ts";
import { Link } from "../../../lib/clients/kafka/link.ts";
import { SluiceError } from "../../../lib/core/errors.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { freePort } from "../../support/ports.ts";

/** Error codes as kafka.apache.org/protocol#protocol_error_codes has them. */
const remedies: [code: number, name: string, remedy: Remedy][] = [
  [2, "CORRUPT_MESSAGE", "retry"],
  [3, "UNKNOWN_TOPIC_OR_PARTITION", "unknown-topic"],
  [5, "LEADER_NOT_AVAILABLE", "retry"],
  [6, "NOT_LEADER_OR_FOLLOWER", "retry"],
  [7, "REQUEST_TIMED_OUT", "retry"],
  [10, "MESSAGE_TOO_LARGE", "split"],
  [17, "INVALID_TOPIC_EXCEPTION", "wrong"],
  [18, "RECORD_LIST_TOO_LARGE", "split"],
  [19, "NOT_ENOUGH_REPLICAS", "retry"],
  [20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "retry"],
  [29, "TOPIC_AUTHORIZATION_FAILED", "denied"],
  [31, "CLUSTER_AUTHORIZATION_FAILED", "denied"],
  [32, "INVALID_TIMESTAMP", "refused"],
  [35, "UNSUPPORTED_VERSION", "wrong"],
  [44, "POLICY_VIOLATION", "denied"],
  [45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "new-id"],
  [47, "INVALID_PRODUCER_EPOCH", "new-id"],
  [49, "INVALID_PRODUCER_ID_MAPPING", "new-id"],
  [56, "KAFKA_STORAGE_ERROR", "retry"],
  [59, "UNKNOWN_PRODUCER_ID", "new-id"],
  [76, "UNSUPPORTED_COMPRESSION_TYPE", "wrong"],
  [87, "INVALID_RECORD", "refused"],
  [90, "PRODUCER_FENCED", "new-id"],
  [9_999, "Kafka error 9999", "retry"],
];

for (const [code, name, remedy] of remedies) {
  Deno.test(`about error ${code}, ${name}, the producer does: ${remedy}`, () => {
    assert.deepEqual([nameOf(code), remedyOf(code)], [name, remedy]);
  });
}

Deno.test("only what an operator has to mend is more than transient", () => {
  const faults = (["retry", "split", "refused", "new-id"] as const).map(
    faultOfRemedy,
  );
  assert.deepEqual([...new Set(faults)], ["transient"]);
  assert.deepEqual(faultOfRemedy("denied"), "denied");
  assert.deepEqual([faultOfRemedy("wrong"), faultOfRemedy("unknown-topic")], [
    "permanent",
    "permanent",
  ]);
});

const advices: [code: number, advice: string][] = [
  [3, "topic t does not exist; create it"],
  [29, "this user may not write to topic t; grant Write and Describe on it"],
  [31, "this user may not write idempotently; grant IdempotentWrite on the cluster"],
  [17, "topic t: INVALID_TOPIC_EXCEPTION"],
];

for (const [code, advice] of advices) {
  Deno.test(`an operator is told about error ${code}: ${advice}`, () => {
    assert.equal(topicAdvice("t", code), advice);
  });
}

/** An error as the library wraps what the broker answered. */
function answered(apiKey: number, code: number): ResponseError {
  return new ResponseError(apiKey, 1, { "/": [code, null] }, {});
}

function network(code: string, message: string): NetworkError {
  return new NetworkError("Connection to a:1 failed.", { cause: coded(code, message) });
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

const login = "the broker refuses the login; check mechanism, user name and password";
const wrapped: [what: string, thrown: unknown, fault: string, detail: string | RegExp][] = [
  [
    "a wrong password",
    new NetworkError("x", {
      cause: new AuthenticationError("SASL authentication failed.", { cause: answered(36, 58) }),
    }),
    "denied",
    login,
  ],
  [
    "a login without an answer to blame",
    new AuthenticationError("No username provided."),
    "denied",
    login,
  ],
  [
    "an unknown mechanism",
    new AuthenticationError("Cannot find a suitable SASL mechanism.", { cause: answered(17, 33) }),
    "denied",
    "the broker does not offer this --sasl-mechanism on this port",
  ],
  [
    "a login that the broker's end cut short",
    new AuthenticationError("Cannot find a suitable SASL mechanism.", {
      cause: new NetworkError("Connection closed"),
    }),
    "transient",
    "Connection closed",
  ],
  [
    "a token whose file has gone",
    new AuthenticationError("SASL authentication failed.", {
      cause: new SluiceError("read secret /t", "usage", "there is no such file or folder"),
    }),
    "denied",
    "Cannot read secret /t: there is no such file or folder",
  ],
  [
    "no right to write idempotently",
    answered(22, 31),
    "denied",
    /grant IdempotentWrite on the cluster/,
  ],
  ["no right to a topic", answered(3, 29), "denied", /grant Write and Describe/],
  [
    "a refused connection",
    network("ECONNREFUSED", "connect ECONNREFUSED a:1"),
    "transient",
    "connect ECONNREFUSED a:1",
  ],
  ["a reset connection", network("ECONNRESET", "read ECONNRESET"), "transient", "read ECONNRESET"],
  ["a coordinator that is loading", answered(22, 14), "transient", /loading/],
  [
    "a certificate for another host",
    network("ERR_TLS_CERT_ALTNAME_INVALID", "Host: a. is not cert's CN: b"),
    "permanent",
    "TLS: Host: a. is not cert's CN: b; the broker's certificate is for another host name",
  ],
  [
    "an expired certificate",
    network("CERT_HAS_EXPIRED", "certificate has expired"),
    "permanent",
    /^TLS: .*; the broker's certificate has expired$/,
  ],
  [
    "several addresses",
    new AggregateError([coded("ECONNREFUSED", "::1"), coded("ECONNREFUSED", "127.0.0.1")]),
    "transient",
    "127.0.0.1",
  ],
  ["no error at all", "text", "transient", "text"],
  ["nothing", undefined, "transient", "undefined"],
];

for (const [what, thrown, fault, detail] of wrapped) {
  Deno.test(`${what} is ${fault}`, () => {
    const error = kafkaError("reach Kafka at a:1", thrown);
    assert.equal(error.fault, fault);
    if (typeof detail === "string") assert.equal(error.detail, detail);
    else assert.match(error.detail, detail);
    assert.equal(error.cause, thrown);
    assert.ok(error.message.startsWith("Cannot reach Kafka at a:1: "));
  });
}

Deno.test("an error of ours is passed on as it is", () => {
  const ours = new SluiceError("reach x", "denied", "no");
  assert.equal(kafkaError("y", ours), ours);
});

async function listening(server: Server): Promise<[port: number, server: Server]> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return [(server.address() as AddressInfo).port, server];
}

/** What a real connection to a real port comes to. */
async function reach(
  port: number,
  tls?: Record<string, string>,
  requestTimeout = 60_000,
): Promise<SluiceError> {
  const options = { connectTimeout: 60_000, requestTimeout, ...(tls ? { tls } : {}) };
  const link = new Link("127.0.0.1", port, "test", options);
  try {
    await link.metadata([], false);
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError);
    return thrown;
  } finally {
    await link.close();
  }
  throw new assert.AssertionError({ message: "there is no Kafka, and yet it answered" });
}

Deno.test("ports that are no Kafka, or speak TLS otherwise than we do, are told apart", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sluice-failures-" });
  const made = await makeCertificates(folder);
  const text = (path: string) => Deno.readTextFile(path);
  const [ca, wrongCa] = [await text(made.ca), await text(made.wrongCa)];
  const own = { cert: await text(made.serverCert), key: await text(made.serverKey) };
  const hears = (socket: { on(event: "error", act: () => void): unknown }) =>
    socket.on("error", () => {});
  const strict = {
    ...own,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    maxVersion: "TLSv1.2",
  } as const;
  const [tlsPort, tls] = await listening(createServer(own, hears).on("tlsClientError", () => {}));
  const [mutualPort, mutual] = await listening(
    createServer(strict, hears).on("tlsClientError", () => {}),
  );
  const [closingPort, closing] = await listening(createPlainServer((socket) => socket.destroy()));
  const [mutePort, mute] = await listening(createPlainServer(hears));
  const [webPort, web] = await listening(createPlainServer((socket) => {
    hears(socket);
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  }));
  const plans: [error: SluiceError, fault: string, detail: RegExp][] = [
    [await reach(freePort()), "transient", /^connect ECONNREFUSED/],
    [await reach(mutePort, undefined, 1_000), "transient", /timed out/],
    [await reach(closingPort), "transient", /closed/],
    [await reach(tlsPort), "permanent", /^TLS: Broker requires TLS/],
    [await reach(tlsPort, { ca: wrongCa }), "permanent", /^TLS: .*; .*give --kafka-ca$/],
    [
      await reach(closingPort, { ca }),
      "transient",
      /^the connection was cut during the TLS handshake/,
    ],
    [await reach(webPort, { ca }), "permanent", /^TLS: .*; this port does not speak TLS$/],
    [
      await reach(mutualPort, { ca }),
      "permanent",
      /^TLS: .*; .*check --kafka-cert and --kafka-key$/,
    ],
  ];
  for (const server of [tls, mutual, closing, mute, web]) server.close();
  await Deno.remove(folder, { recursive: true });
  for (const [error, fault, detail] of plans) {
    assert.match(error.detail, detail);
    assert.equal(error.fault, fault, error.message);
  }
});
