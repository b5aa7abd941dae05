import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { byUtf8 } from "../../../lib/clients/store/keys.ts";
import { s3Error } from "../../../lib/clients/store/s3_failures.ts";
import { decodeMetadata, encodeMetadata } from "../../../lib/clients/store/s3_metadata.ts";
import { placeOf } from "../../../lib/clients/store/s3_url.ts";
import { openStore, type Store, type StoreOptions } from "../../../lib/clients/store/store.ts";
import { realWorld } from "../../../lib/core/world.ts";
import { makeCertificates } from "../../support/certificates.ts";
import { withEnvironment } from "../../support/own_environment.ts";
import { delay, eventually } from "../../support/waiting.ts";
import { pattern, text } from "./objects.ts";
import { refusal, SimpleS3 } from "./simple_s3.ts";

const env = {
  ...{ AWS_ACCESS_KEY_ID: "KEY", AWS_SECRET_ACCESS_KEY: "s3cr3t", AWS_REGION: "eu-west-1" },
  ...{ AWS_CONFIG_FILE: undefined, AWS_CA_BUNDLE: undefined },
};

function withStore(
  run: (store: Store, server: SimpleS3, said: string[]) => Promise<void>,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  return withEnvironment(env, async () => {
    await using server = new SimpleS3();
    const { store, said } = await opened(server.endpoint, options);
    try {
      await run(store, server, said);
    } finally {
      await store.close();
    }
  });
}

async function opened(endpoint: string, options: Partial<StoreOptions> = {}) {
  const said: string[] = [];
  const world = realWorld((level, message) => said.push(`${level} ${message}`));
  return { store: await openStore("s3://bucket/p", { endpoint, world, ...options }), said };
}

const looksFirst = "warn Store cannot write only what is absent, so it looks first";

Deno.test("A store that heeds no condition is found out, and looked at before each put", () =>
  withStore(async (store, server, said) => {
    assert.equal(store.hasConditionalPut, true, "until it is known better");
    await store.check();
    assert.equal(store.hasConditionalPut, false);
    assert.deepEqual(said, [looksFirst]);
    assert.equal(server.objects.size, 0);
    for (const body of [text("x"), pattern(9 * 1024 * 1024)]) {
      const key = `k${body.length}`;
      assert.equal((await store.put(key, body, { ifAbsent: true })).isNew, true);
      server.got.length = 0;
      assert.equal((await store.put(key, text("y"), { ifAbsent: true })).isNew, false);
      assert.deepEqual(server.got.map(({ method }) => method), ["HEAD"]);
      assert.equal((await store.put(key, text("z"))).isNew, true);
    }
  }));

Deno.test("A store that heeds the condition of puts but not that of completions is found out", () =>
  withStore(async (store, server, said) => {
    server.answer = ({ method, headers }) =>
      method === "PUT" && headers.has("if-none-match")
        ? refusal(412, "PreconditionFailed")
        : undefined;
    await store.check();
    assert.equal(store.hasConditionalPut, false);
    assert.deepEqual(said, [looksFirst]);
  }));

Deno.test("A store that refuses conditions as such is looked at first, too", () =>
  withStore(async (store, server) => {
    server.answer = ({ headers }) =>
      headers.has("if-none-match") ? refusal(501, "NotImplemented") : undefined;
    await store.check();
    assert.equal(store.hasConditionalPut, false);
    assert.equal((await store.put("k", text("x"), { ifAbsent: true })).isNew, true);
  }));

Deno.test("Each put brings its MD5, and what the options ask for", () =>
  withStore(async (store, server) => {
    const large = pattern(5 * 1024 * 1024 + 1);
    await store.put("small", text("x"), { contentType: "application/gzip", metadata: { a: "b" } });
    await store.put("large", large, { metadata: { a: "b" } });
    const puts = server.got.filter(({ method }) => method === "PUT");
    const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("base64");
    assert.deepEqual(
      puts.map(({ headers }) => headers.get("content-md5")).sort(),
      [text("x"), large.subarray(0, -1), large.subarray(-1)].map(md5).sort(),
    );
    const begun = server.got.find(({ target }) => target.includes("uploads"));
    for (const headers of [puts[0]?.headers, begun?.headers]) {
      assert.equal(headers?.get("x-amz-server-side-encryption"), "aws:kms");
      assert.equal(headers?.get("x-amz-server-side-encryption-aws-kms-key-id"), "the-key");
      assert.equal(headers?.get("x-amz-storage-class"), "STANDARD_IA");
      assert.equal(headers?.get("x-amz-meta-a"), "b");
      assert.match(headers?.get("authorization") ?? "", /\/eu-north-1\/s3\//);
    }
    assert.equal(puts[0]?.headers.get("content-type"), "application/gzip");
    assert.equal(puts[0]?.target.split("?")[0], "/bucket/p/small", "the bucket is in the path");
  }, { sse: "aws:kms", sseKmsKey: "the-key", storageClass: "STANDARD_IA", region: "eu-north-1" }));

Deno.test("No more than two parts are under way, and no third one is read before one is taken", () =>
  withStore(async (store, server) => {
    const partBytes = 5 * 1024 * 1024;
    const { promise: goOn, resolve } = Promise.withResolvers<undefined>();
    let parts = 0;
    server.answer = ({ target }) => {
      if (!target.includes("partNumber=")) return undefined;
      parts++;
      return goOn;
    };
    let reads = 0;
    const put = store.put("k", {
      sizeBytes: 5 * partBytes,
      read: (_, length) => {
        reads++;
        return Promise.resolve(new Uint8Array(length));
      },
    });
    await eventually("two parts", () => parts === 2);
    await delay(50);
    assert.deepEqual([parts, reads], [2, 2]);
    resolve(undefined);
    assert.equal((await put).isNew, true);
    assert.deepEqual([parts, reads], [5, 5]);
  }));

Deno.test("An upload whose completion is refused is removed, whatever the refusal", () =>
  withStore(async (store, server) => {
    const table = [
      [412, "PreconditionFailed", "not new"],
      [409, "ConditionalRequestConflict", "transient"],
      [404, "NoSuchUpload", "transient"],
      [403, "AccessDenied", "denied"],
      [400, "InvalidPart", "permanent"],
    ] as const;
    for (const [status, code, wanted] of table) {
      server.got.length = 0;
      server.answer = ({ method, target }) =>
        method === "POST" && target.includes("uploadId=") ? refusal(status, code) : undefined;
      const outcome = await store.put("k", pattern(9_000_000), { ifAbsent: true })
        .then(({ isNew }) => isNew ? "new" : "not new", ({ fault }) => fault);
      assert.equal(outcome, wanted, code);
      assert.equal(server.got.at(-1)?.method, "DELETE");
    }
  }));

Deno.test("The region is looked for in the environment, and is that of the standard otherwise", () =>
  withStore(async (store, server) => {
    await store.head("k");
    assert.match(server.got[0]?.headers.get("authorization") ?? "", /\/eu-west-1\/s3\//);
    Deno.env.delete("AWS_REGION");
    Deno.env.set("AWS_CONFIG_FILE", "/nowhere");
    const other = await openStore("s3://bucket", {
      endpoint: server.endpoint,
      world: realWorld(() => {}),
    });
    Deno.env.delete("AWS_CONFIG_FILE");
    await other.head("k");
    assert.match(server.got[1]?.headers.get("authorization") ?? "", /\/us-east-1\/s3\//);
    await other.close();
  }));

Deno.test("An endpoint that is none, or has credentials in it, is refused and not repeated", async () => {
  const world = realWorld(() => {});
  for (const endpoint of ["host:9000", "ftp://host", "", "http://me:s3cr3t@host", "s3cr3t"]) {
    await assert.rejects(openStore("s3://bucket", { endpoint, world }), (thrown: Error) => {
      assert.equal((thrown as { fault?: string }).fault, "usage");
      return !Deno.inspect(thrown).includes("s3cr3t");
    });
  }
});

Deno.test("What answers, but is not S3, is told from a store in which nothing is", () =>
  withStore(async (store, server) => {
    server.answer = () => new Response("<html><body>It works!</body></html>");
    const acts = [
      () => store.check(),
      () => store.put("k", text("x")),
      () => store.put("k", pattern(9_000_000)),
      () => store.head("k"),
      () => store.get("k"),
      () => store.list("").next(),
      () => store.folders("").next(),
    ];
    for (const act of acts) {
      await assert.rejects(act, { fault: "permanent", message: /not one of S3; is the endpoint/ });
    }
  }));

Deno.test("Certificates are looked at, with the authorities of AWS_CA_BUNDLE", async () => {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  await using server = new SimpleS3({
    cert: await Deno.readTextFile(certificates.serverCert),
    key: await Deno.readTextFile(certificates.serverKey),
  });
  const put = async (bundle: string, endpoint = server.endpoint): Promise<string> => {
    Deno.env.set("AWS_CA_BUNDLE", bundle);
    const { store } = await opened(endpoint);
    try {
      return (await store.put("k", text("x"))).isNew ? "put" : "";
    } catch (thrown) {
      return `${(thrown as { fault?: string }).fault} ${thrown}`;
    } finally {
      await store.close();
    }
  };
  await withEnvironment(env, async () => {
    assert.equal(await put(certificates.ca), "put");
    const mistrust = /permanent .*not signed by an authority that we trust; name .*AWS_CA_BUNDLE/;
    assert.match(await put(certificates.wrongCa), mistrust);
    assert.match(await put(""), mistrust);
    await assert.rejects(put(`${folder}/none`), { fault: "usage", message: /AWS_CA_BUNDLE/ });
    await using plain = new SimpleS3();
    const noTls = /permanent .*does not speak TLS/;
    assert.match(await put(certificates.ca, plain.endpoint.replace("http", "https")), noTls);
    const noHttp = /transient .*is the endpoint https/;
    assert.match(await put("", server.endpoint.replace("https", "http")), noHttp);
  }).finally(() => Deno.remove(folder, { recursive: true }));
});

Deno.test("placeOf() reads buckets and prefixes", () => {
  const table = [
    ["s3://abc", "abc", ""],
    ["s3://abc/", "abc", ""],
    ["s3://abc/x", "abc", "x/"],
    ["S3://abc/x/", "abc", "x/"],
    ["s3://a.b-c/x/y z/ü%20", "a.b-c", "x/y z/ü%20/"],
  ] as const;
  for (const [url, bucket, prefix] of table) assert.deepEqual(placeOf(url), { bucket, prefix });
  const wrong = ["s3:abc", "s3://", "s3://a", "s3://key:s3cr3t@abc/x", "s3://a_b!/", "s3://abc//x"];
  for (const url of [...wrong, "s3://abc/x/../y", "s3://abc/x//", "s3:///x"]) {
    assert.throws(() => placeOf(url), (thrown: Error) => {
      assert.equal((thrown as { fault?: string }).fault, "usage", url);
      return !thrown.message.includes("s3cr3t");
    });
  }
});

Deno.test("Notes survive headers, whatever characters they have", () => {
  const values = [
    "",
    "plain",
    "a b",
    " a",
    "a  b",
    "a\r\nb",
    "é",
    "漢".repeat(99),
    "=?",
    "🚰",
    "\ufffd",
  ];
  for (const value of values) {
    const coded = encodeMetadata({ Name: value })["name"] ?? "";
    assert.match(coded, /^[\x21-\x7e]+( [\x21-\x7e]+)*$/, "what a header bears");
    assert.ok(
      coded.split(" ").every((word) => word === value || word.length <= 75 || value === word),
    );
    assert.deepEqual(decodeMetadata({ name: coded }), { name: value });
  }
  assert.equal(encodeMetadata({ a: "x=1; y" })["a"], "x=1; y", "what needs no code has none");
  const others = { q: "=?UTF-8?Q?a=C3=A9_b?=", bad: "=?UTF-8?B?/w==?=", none: "=?x?=" };
  assert.deepEqual(decodeMetadata(others), { q: "aé b", bad: "=?UTF-8?B?/w==?=", none: "=?x?=" });
});

Deno.test("byUtf8() orders as the bytes do", () => {
  const texts = [
    "",
    "a",
    "a-",
    "a/",
    "aa",
    "b",
    "é",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "🚰",
  ];
  const bytes = (value: string) => Array.from(text(value), (byte) => byte + 256).join();
  for (const a of texts) {
    for (const b of texts) {
      const wanted = bytes(a) < bytes(b) ? -1 : bytes(a) > bytes(b) ? 1 : 0;
      assert.equal(Math.sign(byUtf8(a, b)), wanted, `${a} ${b}`);
    }
  }
});

Deno.test("What S3 and the network say becomes a fault of the right kind", () => {
  const answer = (name: string, httpStatusCode: number) => ({
    name,
    $metadata: { httpStatusCode },
  });
  const coded = (code: string) => Object.assign(new Error(`${code} x`), { code });
  const table: readonly (readonly [unknown, string, RegExp])[] = [
    [answer("NoSuchBucket", 404), "permanent", /create it/],
    [answer("AccessDenied", 403), "denied", /grant/],
    [answer("403", 403), "denied", /403.*grant/],
    [answer("SignatureDoesNotMatch", 403), "denied", /secret key is wrong/],
    [answer("ExpiredToken", 400), "denied", /expired/],
    [answer("RequestTimeTooSkewed", 403), "denied", /clock/],
    [{ name: "CredentialsProviderError", message: "no" }, "denied", /no credentials/],
    [answer("InternalError", 500), "transient", /500/],
    [answer("SlowDown", 503), "transient", /fewer/],
    [answer("Unheard", 599), "transient", /599/],
    [answer("TooManyRequestsException", 429), "transient", /429/],
    [answer("RequestTimeout", 400), "transient", /too long/],
    [answer("BadDigest", 400), "transient", /damaged/],
    [answer("OperationAborted", 409), "transient", /another change/],
    [answer("InvalidRequest", 400), "permanent", /400/],
    [{ ...answer("SyntaxError", 200), message: "<html>" }, "permanent", /endpoint/],
    [{ name: "TimeoutError", message: "idle" }, "transient", /in time/],
    [{ name: "AbortError", message: "x" }, "transient", /given up/],
    [coded("ECONNREFUSED"), "transient", /nobody listens/],
    [coded("ECONNRESET"), "transient", /cut/],
    [coded("ENOTFOUND"), "transient", /not known/],
    [coded("CERT_HAS_EXPIRED"), "permanent", /expired/],
    [coded("DEPTH_ZERO_SELF_SIGNED_CERT"), "permanent", /authority/],
    [new Error("invalid peer certificate: UnknownIssuer"), "permanent", /authority/],
    [new Error("fetch", { cause: coded("EPIPE") }), "transient", /cut/],
    ["odd", "transient", /connection failed/],
  ];
  for (const [thrown, fault, detail] of table) {
    const error = s3Error("put k in bucket b", thrown);
    assert.equal(error.fault, fault, error.message);
    assert.match(error.detail, detail);
    assert.equal(error.cause, undefined);
  }
});
