import assert from "node:assert/strict";
import { type FaultKind, faultKinds, StoreFaults } from "./store_faults.ts";

/** A store of one object that counts what was done to it, behind a proxy. */
async function behind(
  act: (faults: StoreFaults, done: { puts: number; gets: number }) => Promise<void>,
): Promise<void> {
  const done = { puts: 0, gets: 0 };
  let object = new Uint8Array();
  const store = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (req) => {
    if (req.method === "PUT") {
      const body = await req.bytes().catch(() => null);
      if (body === null || body.length !== Number(req.headers.get("content-length"))) {
        return new Response("cut", { status: 400 });
      }
      done.puts++;
      object = body;
      return new Response(null);
    }
    done.gets++;
    return new Response(object);
  });
  await using faults = new StoreFaults(`127.0.0.1:${store.addr.port}`, 7);
  faults.stallMs = 300;
  try {
    await act(faults, done);
  } finally {
    await store.shutdown();
  }
}

const big = new Uint8Array(300_000).map((_, i) => i % 251);

async function put(faults: StoreFaults, body = big): Promise<number> {
  const answer = await fetch(`http://${faults.address}/b/k`, { method: "PUT", body });
  await answer.body?.cancel();
  return answer.status;
}

async function get(faults: StoreFaults): Promise<Uint8Array> {
  return await (await fetch(`http://${faults.address}/b/k`)).bytes();
}

Deno.test("the proxy passes requests and answers unharmed when it is told of no fault", async () => {
  await behind(async (faults, done) => {
    for (let i = 0; i < 3; i++) {
      assert.equal(await put(faults), 200);
      assert.deepEqual(await get(faults), big);
    }
    const head = await fetch(`http://${faults.address}/b/k`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.deepEqual(done, { puts: 3, gets: 4 });
    assert.deepEqual([faults.faults, faults.counts.passed], [0, 7]);
  });
});

Deno.test("the proxy passes a body in chunks of unknown number", async () => {
  await behind(async (faults) => {
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(faults.address.split(":")[1]),
    });
    const text = "GET /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "5\r\nabcde\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n";
    for (const piece of [text.slice(0, 70), text.slice(70, 100), text.slice(100)]) {
      await conn.write(new TextEncoder().encode(piece));
    }
    const bytes = new Uint8Array(1_000);
    const said = new TextDecoder().decode(bytes.subarray(0, await conn.read(bytes) ?? 0));
    assert.match(said, /^HTTP\/1.1 200 OK/);
    conn.close();
  });
});

Deno.test("each fault does its harm, and the store has done what it should have", async () => {
  const fails = { client: "fails" } as const;
  const cases: [FaultKind, { client: "fails" | number; puts: number }][] = [
    ["cutRequest", { ...fails, puts: 0 }],
    ["cutReply", { ...fails, puts: 1 }],
    ["lostReply", { ...fails, puts: 1 }],
    ["stall", { client: 200, puts: 1 }],
  ];
  for (const [kind, { client, puts }] of cases) {
    await behind(async (faults, done) => {
      faults.shares = { [kind]: 100 };
      const begun = performance.now();
      const status = await put(faults).catch(() => "fails");
      assert.deepEqual([status, done.puts], [client, puts], kind);
      if (kind === "stall") assert.ok(performance.now() - begun >= 300);
      faults.shares = {};
      assert.equal(await put(faults), 200, kind);
      assert.equal(faults.counts[kind], 1);
    });
  }
});

Deno.test("a cut answer gives a part of an object and then fails", async () => {
  await behind(async (faults) => {
    await put(faults);
    faults.shares = { cutReply: 100 };
    const answer = await fetch(`http://${faults.address}/b/k`);
    assert.equal(answer.headers.get("content-length"), `${big.length}`);
    let bytes = 0;
    await assert.rejects(async () => {
      for await (const piece of answer.body ?? []) bytes += piece.length;
    });
    assert.ok(bytes > 0 && bytes < big.length, `${bytes}`);
  });
});

Deno.test("errors are 500 and 503, and what is refused is 403 or 503 for matching keys alone", async () => {
  await behind(async (faults, done) => {
    faults.shares = { error: 100 };
    const statuses = new Set<number>();
    for (let i = 0; i < 30; i++) statuses.add(await put(faults, big.subarray(0, 9)));
    assert.deepEqual([...statuses].sort(), [500, 503]);
    assert.equal(done.puts, 0);
    faults.shares = {};
    faults.refused = /^PUT .*\/k /;
    assert.equal(await put(faults), 403);
    faults.refusal = "busy";
    assert.equal(await put(faults), 503);
    faults.refused = /^PUT .*\/other /;
    assert.equal(await put(faults), 200);
  });
});

Deno.test("faults come in their shares, and the same ones for the same seed", async () => {
  const run = async () => {
    const kinds: string[] = [];
    await behind(async (faults) => {
      faults.shares = { error: 10, cutRequest: 5, cutReply: 5, stall: 1, lostReply: 5 };
      faults.stallMs = 1;
      for (let i = 0; i < 300; i++) {
        const before = { ...faults.counts };
        await put(faults, big.subarray(0, 9)).catch(() => {});
        kinds.push(faultKinds.find((kind) => faults.counts[kind] > before[kind]) ?? "passed");
      }
    });
    return kinds;
  };
  const kinds = await run();
  assert.deepEqual(await run(), kinds);
  assert.deepEqual([...new Set(kinds)].sort(), [...faultKinds, "passed"].sort());
  const passed = kinds.filter((kind) => kind === "passed").length;
  assert.ok(passed > 180 && passed < 260, `${passed} of 300 passed`);
});
