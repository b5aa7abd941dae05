import assert from "node:assert/strict";
import { addressIn, discoverBrokers, type DiscoveryOptions } from "../../lib/clients/zookeeper.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { within } from "../support/waiting.ts";

function wanting(tls: boolean, sasl: boolean): DiscoveryOptions {
  return { timeoutMs: 1_000, tls, sasl };
}

const plain = wanting(false, false);

/** What brokers write under /brokers/ids: 3.9 with several listeners, and ones of the years before. */
const modern = JSON.stringify({
  features: {},
  listener_security_protocol_map: {
    INTERNAL: "PLAINTEXT",
    "CLIENT-TLS": "SSL",
    LOGIN: "SASL_PLAINTEXT",
    OUTSIDE: "SASL_SSL",
  },
  endpoints: [
    "OUTSIDE://kafka.example.org:9095",
    "CLIENT-TLS://kafka-1:9093",
    "LOGIN://kafka-1:9094",
    "INTERNAL://kafka-1:9092",
  ],
  jmx_port: -1,
  port: 9092,
  host: "kafka-1",
  version: 5,
});

const sameNames = JSON.stringify({
  endpoints: ["PLAINTEXT://a:9092", "SSL://a:9093"],
  host: "a",
  port: 9092,
});

const old = JSON.stringify({ jmx_port: -1, timestamp: "1", host: "old-1", version: 1, port: 9092 });

const onlyTls = JSON.stringify({
  listener_security_protocol_map: { SSL: "SSL" },
  endpoints: ["SSL://a:9093"],
  host: null,
  port: -1,
});

const v6 = JSON.stringify({ endpoints: ["PLAINTEXT://[2001:db8::1]:9092"], host: null, port: -1 });

const nodes: [
  what: string,
  node: string,
  options: DiscoveryOptions,
  address: string | undefined,
][] = [
  ["a named plain listener", modern, plain, "kafka-1:9092"],
  ["a TLS listener whose name has a dash", modern, wanting(true, false), "kafka-1:9093"],
  ["a listener with a login", modern, wanting(false, true), "kafka-1:9094"],
  ["a listener with TLS and login", modern, wanting(true, true), "kafka.example.org:9095"],
  ["listeners that are named as their protocols", sameNames, wanting(true, false), "a:9093"],
  ["a broker without such a listener", sameNames, wanting(true, true), undefined],
  ["an old broker with host and port only", old, plain, "old-1:9092"],
  ["an old broker, asked for TLS", old, wanting(true, false), undefined],
  ["a broker with TLS only, asked without", onlyTls, plain, undefined],
  ["an IPv6 address", v6, plain, "[2001:db8::1]:9092"],
];

for (const [what, node, options, address] of nodes) {
  Deno.test(`addressIn() finds ${address ?? "nothing"} for ${what}`, () => {
    assert.equal(addressIn(node, options), address);
  });
}

async function failure(connect: string): Promise<SluiceError> {
  const begun = performance.now();
  try {
    await discoverBrokers(connect, plain);
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.ok(performance.now() - begun < 30_000, "it took its time");
    return thrown;
  }
  throw new assert.AssertionError({ message: "there is no ZooKeeper, and yet it answered" });
}

Deno.test("a ZooKeeper that cannot be reached is a transient fault, with its addresses", async () => {
  // Nobody listens on ports 1 and 2; no other test will take them in the meantime.
  for (const connect of ["127.0.0.1:1,127.0.0.1:2/kafka", "host.invalid:2181"]) {
    const { fault, message } = await failure(connect);
    assert.deepEqual([fault, message], [
      "transient",
      `Cannot reach ZooKeeper at ${connect}: no answer within 1000 ms; check the addresses, ` +
      "or give --kafka if the cluster does without ZooKeeper (KRaft)",
    ]);
  }
});

Deno.test("a server that never answers is given up, and its connection with it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const error = await failure(`127.0.0.1:${listener.addr.port}`);
  assert.equal(error.fault, "transient");
  const conn = await accepting;
  const ended = (async () => {
    const buffer = new Uint8Array(1_000);
    while (await conn.read(buffer) !== null) { /* the client's greeting */ }
  })();
  assert.ok(await within(ended, 60_000), "the connection was left open");
  conn.close();
  listener.close();
});
