import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { type ListenUrl, parseListenUrl, withPort } from "../../lib/formats/listen_url.ts";

function tcp(host: string, port: number, text: string): Partial<ListenUrl> {
  return { transport: "tcp", protocol: "syslog", host, port, path: "", text };
}

const readable: [text: string, url: Partial<ListenUrl>][] = [
  ["tcp://0.0.0.0:1514", tcp("0.0.0.0", 1514, "tcp://0.0.0.0:1514")],
  ["tcp://0.0.0.0", tcp("0.0.0.0", 1514, "tcp://0.0.0.0:1514")],
  [
    "tcp://loghost.example.org:514/",
    tcp("loghost.example.org", 514, "tcp://loghost.example.org:514"),
  ],
  ["tcp://[::1]:514", tcp("::1", 514, "tcp://[::1]:514")],
  ["tcp://[::]", tcp("::", 1514, "tcp://[::]:1514")],
  ["tcp://127.0.0.1:0", tcp("127.0.0.1", 0, "tcp://127.0.0.1:0")],
  ["tcp://127.0.0.1:65535", tcp("127.0.0.1", 65535, "tcp://127.0.0.1:65535")],
  ["tls://a", { transport: "tls", protocol: "syslog", port: 6514, text: "tls://a:6514" }],
  ["relp://a", { transport: "tcp", protocol: "relp", port: 2514, text: "relp://a:2514" }],
  ["relp+tls://a", { transport: "tls", protocol: "relp", port: 6515, text: "relp+tls://a:6515" }],
  ["udp://a", { transport: "udp", protocol: "syslog", port: 1514, text: "udp://a:1514" }],
  ["unix:///run/log.sock", {
    transport: "unix",
    protocol: "syslog",
    host: "",
    path: "/run/log.sock",
    text: "unix:///run/log.sock",
  }],
  [`unix:///${"x".repeat(106)}`, { path: `/${"x".repeat(106)}` }],
];

for (const [text, url] of readable) {
  Deno.test(`parseListenUrl() reads ${text}`, () => {
    const read = parseListenUrl(text);
    for (const [name, value] of Object.entries(url)) {
      assert.equal(read[name as keyof ListenUrl], value, name);
    }
    assert.deepEqual(parseListenUrl(read.text), read, "what it writes reads back");
  });
}

const refused: [text: string, why: RegExp][] = [
  ["", /must begin with tcp:\/\/, tls:\/\//],
  ["0.0.0.0:1514", /must begin with tcp:\/\//],
  ["http://a:1", /or unix:\/\/\//],
  ["constructor://a:1", /must begin with/],
  ["tcp://", /write tcp:\/\/HOST:PORT, for example tcp:\/\/0\.0\.0\.0:1514/],
  ["tcp://:1514", /write tcp:\/\/HOST:PORT/],
  ["tls://a:b", /for example tls:\/\/0\.0\.0\.0:6514/],
  ["tcp://a:1514/path", /write tcp:\/\/HOST:PORT/],
  ["tcp://a b:1514", /write tcp:\/\/HOST:PORT/],
  ["tcp://::1:1514", /write tcp:\/\/HOST:PORT/],
  ["tcp://a:65536", /a port is at most 65535/],
  ["tcp://a:-1", /write tcp:\/\/HOST:PORT/],
  ["unix://run/log.sock", /three slashes/],
  [`unix:///${"x".repeat(107)}`, /at most 107 bytes/],
  [`unix:///${"ä".repeat(54)}`, /at most 107 bytes/],
];

for (const [text, why] of refused) {
  Deno.test(`parseListenUrl() refuses "${text.slice(0, 30)}" and says what is right`, () => {
    assert.throws(() => parseListenUrl(text), (thrown: SluiceError) => {
      assert.equal(thrown.fault, "usage");
      assert.ok(thrown.message.startsWith(`Cannot listen on "${text}": `), thrown.message);
      assert.match(thrown.detail, why);
      return true;
    });
  });
}

Deno.test("parseListenUrl() does not repeat a password that was put into a URL", () => {
  assert.throws(
    () => parseListenUrl("tcp://user:Tr0ub4dor@host:1514"),
    (thrown: SluiceError) => thrown.fault === "usage" && !thrown.message.includes("Tr0ub4dor"),
  );
});

Deno.test("parseListenUrl() gives a URL or a usage error for any text", () => {
  const schemes = ["tcp://", "tls://", "relp://", "relp+tls://", "udp://", "unix://", ""];
  fc.assert(fc.property(fc.constantFrom(...schemes), fc.string(), (scheme, rest) => {
    try {
      const url = parseListenUrl(scheme + rest);
      assert.ok(url.port >= 0 && url.port <= 65_535);
      assert.deepEqual(parseListenUrl(url.text), url);
    } catch (thrown) {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "usage", String(thrown));
    }
  }));
});

Deno.test("withPort() puts the port that the system chose into number and text", () => {
  const url = withPort(parseListenUrl("relp+tls://[::1]:0"), 40_000);
  assert.equal(url.port, 40_000);
  assert.equal(url.text, "relp+tls://[::1]:40000");
});
