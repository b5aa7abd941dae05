import assert from "node:assert/strict";
import { format, inspect } from "node:util";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import { usageError } from "../../lib/core/errors.ts";
import { redactText, redactUrl, Secret } from "../../lib/core/secret.ts";

const canary = "c4n4ry-horse-battery";
const secret = new Secret(canary);

/** Every way that a value gets into text. */
const printings: [how: string, print: () => string][] = [
  ["String()", () => String(secret)],
  ["a template", () => `${secret}`],
  ["adding it to a text", () => "" + secret],
  ["toLocaleString()", () => secret.toLocaleString()],
  ["JSON", () => JSON.stringify(secret)],
  ["JSON of an object around it", () => JSON.stringify({ deep: [{ password: secret }] })],
  ["Deno.inspect()", () => Deno.inspect(secret)],
  [
    "Deno.inspect() of an object around it",
    () => Deno.inspect({ deep: [{ secret }] }, { depth: 9 }),
  ],
  ["Deno.inspect() with hidden fields", () => Deno.inspect(secret, { showHidden: true })],
  ["inspect() of node:util", () => inspect(secret)],
  ["inspect() of an object around it", () => inspect({ deep: [{ secret }] }, { depth: 9 })],
  ["inspect() with hidden fields", () => inspect(secret, { showHidden: true })],
  [
    "%s, %o, %O and %j, as consoles print",
    () => format("%s %o %O %j", secret, secret, secret, secret),
  ],
  ["a Map and a Set", () => Deno.inspect([new Map([["a", secret]]), new Set([secret])])],
  ["an error's text", () => new SluiceError("log in", "denied", `with ${secret}`).message],
  ["an error that has it as its cause", () => Deno.inspect(new Error("x", { cause: { secret } }))],
  ["an error's own fields", () => inspect(Object.assign(new Error("x"), { secret }))],
  ["its fields", () => JSON.stringify(Object.entries(secret)) + Object.keys(secret)],
  ["a copy of it", () => inspect({ ...secret }) + JSON.stringify(Object.assign({}, secret))],
  ["a structured clone", () => inspect(structuredClone({ secret }))],
];

for (const [how, print] of printings) {
  Deno.test(`a secret is not seen in ${how}`, () => {
    assert.ok(!print().includes(canary), print());
  });
}

Deno.test("a secret prints as [secret], and only reveal() gives it away", () => {
  assert.equal(`${secret}`, "[secret]");
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}');
  assert.equal(Deno.inspect({ secret }), "{ secret: [secret] }");
  assert.equal(inspect({ secret }), "{ secret: [secret] }");
  assert.equal(secret.reveal(), canary);
});

const urls: [url: string, redacted: string][] = [
  ["tcp://0.0.0.0:1514", "tcp://0.0.0.0:1514"],
  ["s3://bucket/prefix", "s3://bucket/prefix"],
  ["s3://bucket/a:b@c", "s3://bucket/a:b@c"],
  ["unix:///run/a:b@c.sock", "unix:///run/a:b@c.sock"],
  ["postgres://user@host/db", "postgres://user@host/db"],
  ["postgres://user:pw@host:5432/db", "postgres://user:[secret]@host:5432/db"],
  ["postgres://user:p@w@host/db", "postgres://user:[secret]@host/db"],
  ["postgres://user:p/w?#@host/db", "postgres://user:[secret]@host/db"],
  ["postgres://:pw@host/db", "postgres://:[secret]@host/db"],
  ["postgres://host:5432/db?user=me@home", "postgres://host:5432/db?user=me@home"],
  ["user:pw@kafka-1:9092", "user:[secret]@kafka-1:9092"],
  ["kafka-1:9092", "kafka-1:9092"],
  ["http://h/?user=a&password=pw&x=1", "http://h/?user=a&password=[secret]&x=1"],
  ["http://h/?sslpassword=pw", "http://h/?sslpassword=[secret]"],
  ["http://h/?X-Amz-Signature=abc#f", "http://h/?X-Amz-Signature=[secret]#f"],
  ["http://h/?X-Amz-Security-Token=abc", "http://h/?X-Amz-Security-Token=[secret]"],
  ["http://h/?AccessKeyId=a&se=2&sig=b", "http://h/?AccessKeyId=[secret]&se=2&sig=[secret]"],
  ["http://h/#access_token=abc", "http://h/#access_token=[secret]"],
  ["", ""],
];

for (const [url, redacted] of urls) {
  Deno.test(`redactUrl() shows ${url || "nothing"} as ${redacted || "nothing"}`, () => {
    assert.equal(redactUrl(url), redacted);
  });
}

Deno.test("redactUrl() hides a password of any characters, and once is enough", () => {
  const schemes = fc.constantFrom("postgres://", "https://", "tcp://", "");
  // A number before a slash would be a port; the readers of URLs see it so too.
  const passwords = fc.string({ minLength: 1 }).filter((text) => !/^\d+[/?#]|^\/\//.test(text));
  fc.assert(fc.property(schemes, passwords, (scheme, password) => {
    const shown = redactUrl(`${scheme}user:${password}@host/path`);
    assert.equal(shown, `${scheme}user:[secret]@host/path`);
    assert.equal(redactUrl(shown), shown);
  }));
});

const texts: [text: string, shown: string][] = [
  ['Cannot use "postgres://al:pw@h/d": no', 'Cannot use "postgres://al:[secret]@h/d": no'],
  ["read s3://al:p/w@d@h/x and http://b:c@d", "read s3://al:[secret]@h/x and http://b:[secret]@d"],
  ["https://:pw@h/x?a=1&X-Amz-Signature=ab", "https://:[secret]@h/x?a=1&X-Amz-Signature=[secret]"],
  ["jdbc:redshift://h:5439/d;UID=al;PWD=pw", "jdbc:redshift://h:5439/d;UID=al;PWD=[secret]"],
  [
    "CREDENTIALS 'aws_access_key_id=A;aws_secret_access_key=b/c+d='",
    "CREDENTIALS 'aws_access_key_id=[secret];aws_secret_access_key=[secret]'",
  ],
  ["give postgres://USER:PASSWORD@HOST/DATABASE", "give postgres://USER:PASSWORD@HOST/DATABASE"],
  ["give ?user=USER&password=PASSWORD", "give ?user=USER&password=PASSWORD"],
  ["sasl-password-file=/run/p", "sasl-password-file=/run/p"],
  ["listen on tcp://h:1514,tls://h:6514 for a@b", "listen on tcp://h:1514,tls://h:6514 for a@b"],
  ["http://h:8080/a@b", "http://h:8080/a@b"],
  ["partition=0 of topic a at offset=7", "partition=0 of topic a at offset=7"],
];

for (const [text, shown] of texts) {
  Deno.test(`redactText() shows ${text}`, () => {
    assert.equal(redactText(text), shown);
    assert.equal(redactText(shown), shown);
  });
}

Deno.test("redactText() takes no longer for a text that is made to make it slow", () => {
  const begun = performance.now();
  for (const piece of ["a", "a://", "a://b:", "pass", "pass=", "://:@", "token-"]) {
    redactText(`=@${piece.repeat(300_000 / piece.length)}`);
  }
  // A second where it grows with the text, hours where it grew with its square.
  const ms = performance.now() - begun;
  assert.ok(ms < 60_000, `${ms} ms`);
});

Deno.test("an error holds no password of a URL, in none of its texts", () => {
  const error = usageError("open postgres://al:pw1@h", "there is a://b:pw2@c?password=pw3");
  for (const text of [error.message, error.stack ?? "", error.action, error.detail]) {
    assert.ok(!/pw[123]/.test(text), text);
  }
});
