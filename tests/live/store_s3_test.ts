import assert from "node:assert/strict";
import { openS3, type Patience } from "../../lib/clients/store/s3.ts";
import { openStore, type Store } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { programRights } from "../../scripts/rights.ts";
import { checkContract } from "../clients/store/contract.ts";
import { bytesOf, keysOf, pattern, text } from "../clients/store/objects.ts";
import { withEnvironment } from "../support/own_environment.ts";
import { type S3Server, startS3 } from "../support/s3_server.ts";
import { type FaultShares, StoreFaults } from "../support/store_faults.ts";
import { eventually } from "../support/waiting.ts";

const world = realWorld(() => {});
const partBytes = 5 * 1024 * 1024;

type Open = (path?: string, patience?: Patience) => Promise<Store>;

/** Runs something with a server of one bucket, "place", and its credentials in the environment. */
async function withS3(
  run: (server: S3Server, open: Open) => Promise<void>,
  changes: Record<string, string> = {},
): Promise<void> {
  await using server = await startS3();
  await server.createBucket("place");
  const opened: Store[] = [];
  await withEnvironment({ ...server.env(), ...changes }, async () => {
    try {
      await run(server, async (path = "place/a", patience) => {
        const options = { endpoint: server.endpoint, partBytes, world };
        const store = await openS3(`s3://${path}`, options, patience);
        opened.push(store);
        return store;
      });
    } finally {
      for (const store of opened) await store.close();
    }
  });
}

/** Runs something with a store behind a proxy that harms requests. */
function withFaults(
  run: (store: Store, harm: (shares: FaultShares) => void, faults: StoreFaults) => Promise<void>,
): Promise<void> {
  return withS3(async (server) => {
    await using faults = new StoreFaults(`127.0.0.1:${server.port}`);
    const options = { endpoint: `http://${faults.address}`, partBytes, world };
    const store = await openS3("s3://place/f", options);
    try {
      await run(store, (shares) => faults.shares = shares, faults);
    } finally {
      await store.close();
    }
  });
}

/** Everything that a store does, each to be refused in the same way. */
function allActs(store: Store): readonly (readonly [string, () => Promise<unknown>])[] {
  return [
    ["check", () => store.check()],
    ["put", () => store.put("k", text("x"))],
    ["put if absent", () => store.put("k", text("x"), { ifAbsent: true })],
    ["put in parts", () => store.put("k", pattern(partBytes + 1))],
    ["head", () => store.head("k")],
    ["get", () => store.get("k")],
    ["list", () => keysOf(store.list(""))],
    ["folders", () => Array.fromAsync(store.folders(""))],
    ["delete", () => store.delete("k")],
    ["removeOrphans", () => store.removeOrphans("", 0)],
  ];
}

Deno.test("S3 does what a store has to do", (t) =>
  withS3(async (server) => {
    let count = 0;
    await checkContract(t, {
      name: "s3",
      partBytes,
      keepsMetadata: true,
      open: () => {
        const options = { endpoint: server.endpoint, partBytes, world };
        return openStore(`s3://place/store ${count++}/ü`, options);
      },
    });
  }));

Deno.test("A store is its prefix: it sees nothing beside, with or without one", () =>
  withS3(async (_, open) => {
    const [root, a, ab] = [await open("place"), await open("place/a/"), await open("place/ab")];
    await a.put("x/1", text("a"));
    await ab.put("x/2", text("ab"));
    await root.check();
    assert.deepEqual(await keysOf(root.list("")), ["a/x/1", "ab/x/2"]);
    assert.deepEqual(await keysOf(a.list("")), ["x/1"]);
    assert.deepEqual(await keysOf(ab.list("x/")), ["x/2"]);
    assert.deepEqual(await Array.fromAsync(root.folders("")), ["a/", "ab/"]);
    assert.deepEqual(await Array.fromAsync(a.folders("")), ["x/"]);
    assert.deepEqual(await bytesOf(root.get("ab/x/2")), text("ab"));
  }));

Deno.test("A missing bucket is told as such, with what to do", () =>
  withS3(async (_, open) => {
    const store = await open("nowhere/a");
    for (const [name, act] of allActs(store)) {
      if (name === "head" || name === "delete") continue; // 404 without a word: nothing is there
      await assert.rejects(act, {
        name: "SluiceError",
        fault: "permanent",
        message: /bucket nowhere.*no such bucket; create it/,
      }, name);
    }
  }));

for (
  const [what, changes, advice] of [
    ["secret key", { AWS_SECRET_ACCESS_KEY: "wrong-secret-key" }, /secret key is wrong/],
    ["access key", { AWS_ACCESS_KEY_ID: "WRONGACCESSKEY" }, /does not know the access key/],
  ] as const
) {
  Deno.test(`A wrong ${what} is denied, and no secret is told`, () =>
    withS3(async (server, open) => {
      const store = await open();
      for (const [name, act] of allActs(store)) {
        // An answer to HEAD has no body that could say more, and versitygw's has the status 404.
        if (what === "access key" && ["head", "delete"].includes(name)) continue;
        const error = await act().then(() => assert.fail(`${name} went well`), (e) => e);
        assert.equal(error.fault, "denied", `${name}: ${error.message}`);
        const told = Deno.inspect(error, { depth: 20, showHidden: true }) + error.stack;
        for (const secret of ["wrong-secret-key", server.secretKey, "Signature="]) {
          assert.ok(!told.includes(secret), `${name} tells ${secret}`);
        }
        if (!["head", "delete"].includes(name)) assert.match(error.message, advice, name);
      }
    }, changes));
}

Deno.test("A store that is not there is a fault that passes, and it goes on when it is back", () =>
  withS3(async (server, open) => {
    const store = await open();
    await store.put("before", text("1"));
    await server.kill();
    for (const [name, act] of allActs(store)) {
      await assert.rejects(act, { fault: "transient", message: /nobody listens|was cut/ }, name);
    }
    await server.restart();
    assert.deepEqual(await bytesOf(store.get("before")), text("1"));
    assert.equal((await store.put("after", text("2"), { ifAbsent: true })).isNew, true);
  }));

Deno.test("A store that does not answer is a fault that passes", () =>
  withS3(async (server, open) => {
    const store = await open("place/a", { connectMs: 1_000, idleMs: 500 });
    await store.put("before", text("1"));
    await server.pause();
    try {
      for (const body of [text("x"), pattern(partBytes + 1)]) {
        await assert.rejects(store.put("k", body), {
          fault: "transient",
          message: /put a\/k in bucket place: it does not answer in time/,
        });
      }
      await assert.rejects(store.head("before"), { fault: "transient" });
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 100);
      const begun = performance.now();
      await assert.rejects(store.put("k", text("x"), { signal: stop.signal }), /given up/);
      assert.ok(performance.now() - begun < 1_000, "the signal is heeded at once");
    } finally {
      server.resume();
    }
    assert.deepEqual(await bytesOf(store.get("before")), text("1"));
  }));

Deno.test("A lost reply makes ours look like another's, and its bytes are there", () =>
  withFaults(async (store, harm, faults) => {
    const bytes = pattern(1_000);
    harm({ lostReply: 100 });
    const put = store.put("lost", bytes, { ifAbsent: true }).catch((thrown) => thrown);
    await eventually("a lost reply", () => faults.counts.lostReply > 0, { everyMs: 1 });
    harm({});
    const outcome = await put;
    // The last of the three tries may have been lost, too.
    assert.ok(outcome.isNew === false || outcome.fault === "transient", String(outcome));
    assert.deepEqual(await bytesOf(store.get("lost")), bytes);
    assert.equal((await store.put("lost", text("x"), { ifAbsent: true })).isNew, false);
  }));

Deno.test("Whatever happens to requests, a put that says it is done is whole", () =>
  withFaults(async (store, harm, faults) => {
    harm({ error: 8, cutRequest: 6, cutReply: 6, lostReply: 6 });
    const bodies = Array.from({ length: 40 }, (_, i) => pattern(i % 8 === 0 ? partBytes + i : i));
    for (const [i, bytes] of bodies.entries()) {
      const fault = await eventually(`put ${i}`, async () => {
        const thrown = await store.put(`o/${i}`, bytes, { ifAbsent: true }).catch((e) => e);
        return thrown.fault === "transient" ? undefined : thrown.fault ?? "none";
      });
      assert.equal(fault, "none");
      const read = await eventually(
        `get ${i}`,
        () =>
          bytesOf(store.get(`o/${i}`)).catch((thrown) => {
            assert.equal(thrown.fault, "transient", thrown.message);
            return undefined;
          }),
      );
      assert.deepEqual(read, bytes);
    }
    assert.ok(faults.faults > 20, `only ${faults.faults} faults`);
    harm({});
    assert.equal((await keysOf(store.list("o/"))).length, bodies.length);
  }));

Deno.test("Bytes that end early are not taken for the whole object", () =>
  withFaults(async (store, harm) => {
    await store.put("big", pattern(3_000_000));
    harm({ cutReply: 100 });
    await assert.rejects(bytesOf(store.get("big")), {
      fault: "transient",
      message: /get f\/big in bucket place: .*cut/,
    });
  }));

Deno.test("What a store refuses is denied, and too many requests pass", () =>
  withFaults(async (store, _, faults) => {
    faults.refused = /./;
    for (const [name, act] of allActs(store)) {
      await assert.rejects(act, { fault: "denied", message: /grant s3:/ }, name);
    }
    faults.refusal = "busy";
    for (const [name, act] of allActs(store)) {
      await assert.rejects(act, { fault: "transient", message: /fewer|503/ }, name);
    }
  }));

Deno.test("A bucket in which nothing may be removed can be used; the probe stays and that is told", () =>
  withS3(async (server) => {
    await using faults = new StoreFaults(`127.0.0.1:${server.port}`);
    faults.refused = /^DELETE \/place\/[^?]*(\?x-id=DeleteObject)? HTTP/;
    const said: string[] = [];
    const store = await openS3("s3://place", {
      endpoint: `http://${faults.address}`,
      world: realWorld((level, message) => said.push(`${level} ${message}`)),
    });
    await store.check();
    assert.equal(store.hasConditionalPut, true);
    assert.deepEqual(said, ["warn Store does not let the probe be removed; it stays"]);
    await store.close();
  }));

Deno.test("Uploads that nobody finishes are removed when they are old enough", () =>
  withFaults(async (store, _, faults) => {
    // The upload cannot be cleaned up, as after a kill.
    faults.refused = /^(PUT .*partNumber=2|DELETE .*uploadId)/;
    await assert.rejects(store.put("dir/x", pattern(3 * partBytes)), { fault: "denied" });
    faults.refused = null;
    assert.equal(await store.removeOrphans("", 3_600_000), 0, "too young");
    assert.equal(await store.removeOrphans("elsewhere/", 0), 0);
    assert.equal(await store.removeOrphans("dir/", 0), 1);
    assert.equal(await store.removeOrphans("", 0), 0);
    assert.equal(await store.head("dir/x"), undefined);
  }));

/** Runs the program of tests/support with the rights of the compiled sluice. */
async function runProgram(server: S3Server, env: Record<string, string>, name: string) {
  const program = new URL("../support/store_program.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...programRights, program, `s3://place/${name}`, server.endpoint],
    env,
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: decode(stdout).trim() || decode(stderr) };
}

Deno.test("The compiled program's rights are enough, and the process ends", async () => {
  await using server = await startS3();
  await server.createBucket("place");
  const wanted = { code: 0, said: '{"isNew":true,"text":"hello","keys":["hello"]}' };
  const env = server.env();
  assert.deepEqual(await runProgram(server, env, "one"), wanted);
  // Even one that forgets to close has no connection that keeps it.
  assert.deepEqual(await runProgram(server, { ...env, LEAVE_OPEN: "1" }, "two"), wanted);
  const profile = `[of-tests]\naws_access_key_id = ${server.accessKey}\n` +
    `aws_secret_access_key = ${server.secretKey}\n`;
  await Deno.writeTextFile(`${server.folder}/credentials`, profile);
  const without = { ...env, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_REGION: "" };
  const profiles = { ...without, AWS_SHARED_CREDENTIALS_FILE: `${server.folder}/credentials` };
  assert.deepEqual(
    await runProgram(server, { ...profiles, AWS_PROFILE: "of-tests" }, "three"),
    wanted,
  );
  const { code, said } = await runProgram(server, without, "four");
  assert.equal(code, 1);
  assert.match(said, /there are no credentials; set AWS_ACCESS_KEY_ID/);
});
