import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { SluiceError } from "../../lib/core/errors.ts";
import { runCommand } from "../support/processes.ts";
import { TempFiles } from "../support/temp_files.ts";
import { programRights } from "../../scripts/rights.ts";

/** What a program that logs in and asks for a dataset and a bucket comes to. */
interface Trial {
  readonly kind?: string;
  readonly dataset?: string;
  readonly bucket?: string | null;
  readonly message?: string;
  readonly fault?: string;
}

const module = (path: string) => new URL(`../../lib/${path}`, import.meta.url).href;

/** Runs in a process with the rights of the program, in a home without anybody's credentials. */
async function trial(
  credentials: Record<string, unknown>,
  env: Record<string, string>,
): Promise<{ readonly trial: Trial; readonly text: string }> {
  await using files = await TempFiles.of();
  const script = await files.write(
    "trial.ts",
    `import { signIn } from ${JSON.stringify(module("clients/google_auth.ts"))};
    import { openBigQuery } from ${JSON.stringify(module("clients/bigquery/bigquery.ts"))};
    import { openObjectStore } from ${JSON.stringify(module("clients/gcs.ts"))};
    import { realWorld } from ${JSON.stringify(module("core/world.ts"))};
    const world = realWorld(() => {});
    const endpoint = Deno.env.get("ENDPOINT");
    const result = await (async () => {
      const auth = await signIn(${JSON.stringify(credentials)});
      const kind = auth.constructor.name;
      if (endpoint === undefined) return { kind };
      const dataset = await (await openBigQuery({ auth, endpoint }, world)).getDataset("p", "d");
      const bucket = await (await openObjectStore({ auth, endpoint }, world)).bucketLocation("b");
      return { kind, dataset: dataset?.location, bucket };
    })().catch(({ message, fault }) => ({ message, fault }));
    console.log("RESULT " + JSON.stringify(result));
    Deno.exit(0);`,
  );
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const { text } = await runCommand(
    [Deno.execPath(), "run", ...programRights, "--config", config, script],
    { env: { HOME: files.folder, DENO_DIR: denoDir, METADATA_SERVER_DETECTION: "none", ...env } },
  );
  const found = /RESULT (.*)/.exec(text)?.[1];
  assert.ok(found, text);
  return { trial: JSON.parse(found), text };
}

/** Google, as far as a login goes: a machine's token, a token to act as another, and two resources. */
function startGoogle(options: { readonly refuses?: boolean } = {}) {
  const calls: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      calls.push(`${request.method} ${pathname} ${request.headers.get("authorization") ?? "-"}`);
      const headers = { "Metadata-Flavor": "Google" };
      if (pathname.endsWith("/token")) {
        const token = { access_token: "machine", expires_in: 3_600, token_type: "Bearer" };
        return Response.json(token, { headers });
      }
      if (pathname.startsWith("/computeMetadata/")) return new Response("x", { headers });
      if (pathname.endsWith(":generateAccessToken")) {
        const error = { code: 403, message: "Permission denied", status: "PERMISSION_DENIED" };
        if (options.refuses) return Response.json({ error }, { status: 403 });
        const { scope, lifetime } = await request.json();
        assert.deepEqual([scope.length, lifetime], [1, "3600s"]);
        const expireTime = new Date(Date.now() + 3_600_000).toISOString();
        return Response.json({ accessToken: "other", expireTime });
      }
      return Response.json({ location: "EU" });
    },
  );
  const address = `127.0.0.1:${server.addr.port}`;
  return { calls, address, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("The machine's own account is used where nothing else is there, with the program's rights", async () => {
  await using google = startGoogle();
  const endpoint = `http://${google.address}`;
  const env = {
    GCE_METADATA_HOST: google.address,
    METADATA_SERVER_DETECTION: "assume-present",
    ENDPOINT: endpoint,
  };
  const { trial: found } = await trial({}, env);
  assert.deepEqual(found, { kind: "Compute", dataset: "EU", bucket: "EU" });
  const asked = google.calls.filter((call) => call.includes("Bearer"));
  assert.deepEqual(asked, [
    "GET /bigquery/v2/projects/p/datasets/d Bearer machine",
    "GET /storage/v1/b/b Bearer machine",
  ]);
});

Deno.test("Another account's token is asked for once, with one's own", async () => {
  await using google = startGoogle();
  const endpoint = `http://${google.address}`;
  const credentials = { impersonate: "a@p.example", impersonationEndpoint: endpoint };
  const env = {
    GCE_METADATA_HOST: google.address,
    METADATA_SERVER_DETECTION: "assume-present",
    ENDPOINT: endpoint,
  };
  const { trial: found, text } = await trial(credentials, env);
  assert.deepEqual([found.dataset, found.bucket], ["EU", "EU"]);
  const asked = google.calls.filter((call) => call.includes("Bearer"));
  assert.deepEqual(asked, [
    "POST /v1/projects/-/serviceAccounts/a%40p.example:generateAccessToken Bearer machine",
    "GET /bigquery/v2/projects/p/datasets/d Bearer other",
    "GET /storage/v1/b/b Bearer other",
  ]);
  assert.ok(!text.includes("deprecated") && !text.includes("security risk"), text);
});

Deno.test("Who may not act as another account is told which right is missing", async () => {
  await using google = startGoogle({ refuses: true });
  const endpoint = `http://${google.address}`;
  const { trial: found } = await trial(
    { impersonate: "a@p.example", impersonationEndpoint: endpoint },
    {
      GCE_METADATA_HOST: google.address,
      METADATA_SERVER_DETECTION: "assume-present",
      ENDPOINT: endpoint,
    },
  );
  assert.equal(found.fault, "denied");
  assert.match(found.message ?? "", /Cannot act as a@p\.example: .*serviceAccountTokenCreator/);
});

Deno.test("Without credentials it says how to get some", async () => {
  const { trial: found } = await trial({}, {});
  assert.equal(found.fault, "denied");
  assert.match(found.message ?? "", /gcloud auth application-default/);
});

Deno.test("Files of credentials are taken or refused without showing what is in them", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  await using files = await TempFiles.of({
    "account.json": JSON.stringify({
      type: "service_account",
      client_email: "a@p.example",
      private_key: key,
      private_key_id: "1",
    }),
    "user.json": JSON.stringify({
      type: "authorized_user",
      client_id: "a",
      client_secret: "canary-1",
      refresh_token: "canary-2",
    }),
    "text.json": "canary-3",
    "keyless.json": JSON.stringify({ type: "service_account", client_email: "a@p.example" }),
    "damaged.json": JSON.stringify({
      type: "service_account",
      client_email: "a@p.example",
      private_key: "-----BEGIN PRIVATE KEY-----\ncanary-4\n-----END PRIVATE KEY-----\n",
    }),
  });
  const account = await trial({ keyFile: files.path("account.json") }, {});
  assert.deepEqual(account.trial, { kind: "JWT" });
  const user = await trial({}, { GOOGLE_APPLICATION_CREDENTIALS: files.path("user.json") });
  assert.deepEqual(user.trial, { kind: "UserRefreshClient" });
  const { signIn } = await import("../../lib/clients/google_auth.ts");
  for (
    const [name, text] of [
      ["user.json", /not the file of a service account but of "authorized_user"/],
      ["text.json", /no JSON file with Google's credentials/],
      ["none.json", /Cannot read/],
      ["keyless.json", /client_email or private_key is missing/],
      ["damaged.json", /its private_key is damaged/],
    ] as const
  ) {
    const refused = await signIn({ keyFile: files.path(name) }).catch((thrown) => thrown);
    assert.ok(refused instanceof SluiceError && refused.fault === "usage");
    assert.match(refused.message, text);
    assert.ok(!Deno.inspect(refused).includes("canary"));
  }
  const missing = await trial({}, { GOOGLE_APPLICATION_CREDENTIALS: files.path("none.json") });
  assert.equal(missing.trial.fault, "usage");
  const damaged = await trial({}, { GOOGLE_APPLICATION_CREDENTIALS: files.path("damaged.json") });
  assert.equal(damaged.trial.fault, "usage");
  for (const { text } of [account, user, missing, damaged]) {
    assert.ok(!text.includes("deprecated"), text);
  }
});
