import assert from "node:assert/strict";
import { serveStatus, type StatusServer } from "../../lib/clients/http.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { within } from "../support/waiting.ts";

const state = { reasons: [] as string[], fails: false };

const source = {
  page: () => {
    if (state.fails) throw new Error("the page has a secret defect");
    return Promise.resolve({ contentType: "text/plain; version=0.0.4", text: "sluice_up 1\n" });
  },
  notReady: () => state.reasons,
};

async function withServer(
  hostPort: string,
  act: (server: StatusServer) => Promise<void>,
): Promise<void> {
  const server = serveStatus(hostPort, source);
  try {
    await act(server);
  } finally {
    await server.stop();
  }
}

async function ask(url: string, init?: RequestInit): Promise<[status: number, text: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

Deno.test("/metrics is the page as it is made, with its type", async () => {
  await withServer("127.0.0.1:0", async ({ url }) => {
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4");
    assert.deepEqual([response.status, await response.text()], [200, "sluice_up 1\n"]);
  });
});

Deno.test("/healthz is 200 as long as the process answers, ready or not", async () => {
  await withServer("127.0.0.1:0", async ({ url }) => {
    state.reasons = ["Kafka: away"];
    assert.deepEqual(await ask(`${url}/healthz`), [200, "ok\n"]);
    state.reasons = [];
  });
});

Deno.test("/readyz is 200, or 503 with the reasons one a line", async () => {
  await withServer("127.0.0.1:0", async ({ url }) => {
    assert.deepEqual(await ask(`${url}/readyz`), [200, "ready\n"]);
    state.reasons = ["Kafka: away", "stopping"];
    assert.deepEqual(await ask(`${url}/readyz`), [503, "Kafka: away\nstopping\n"]);
    state.reasons = [];
    assert.deepEqual(await ask(`${url}/readyz?verbose=1`), [200, "ready\n"]);
  });
});

Deno.test("other pages are 404 and name those that exist; other methods are 405", async () => {
  await withServer("127.0.0.1:0", async ({ url }) => {
    for (const path of ["/", "/metrics/x", "/Metrics", "/../etc/passwd"]) {
      const [status, text] = await ask(url + path);
      assert.equal(status, 404);
      assert.match(text, /\/metrics, \/healthz and \/readyz/);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${url}/metrics`, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
      await response.body?.cancel();
    }
    assert.deepEqual(await ask(`${url}/readyz`, { method: "HEAD" }), [200, ""]);
  });
});

Deno.test("a page that cannot be made is 500, without telling why to strangers", async () => {
  await withServer("127.0.0.1:0", async ({ url }) => {
    state.fails = true;
    assert.deepEqual(await ask(`${url}/metrics`), [500, "internal error\n"]);
    state.fails = false;
    assert.equal((await ask(`${url}/metrics`))[0], 200);
  });
});

const addresses: [hostPort: string, url: RegExp][] = [
  ["127.0.0.1:0", /^http:\/\/127\.0\.0\.1:\d+$/],
  ["localhost:0", /^http:\/\/localhost:\d+$/],
  ["[::1]:0", /^http:\/\/\[::1\]:\d+$/],
  [":0", /^http:\/\/0\.0\.0\.0:\d+$/],
];

for (const [hostPort, pattern] of addresses) {
  Deno.test(`status is served on ${hostPort}, under the URL that it tells`, async () => {
    await withServer(hostPort, async ({ url }) => {
      assert.match(url, pattern);
      assert.deepEqual(await ask(`${url}/healthz`), [200, "ok\n"]);
    });
  });
}

for (
  const hostPort of ["", "9108", "localhost", "::1:9108", "a:b", "a:65536", "http://a:1", "a b:1"]
) {
  Deno.test(`"${hostPort}" is refused as no HOST:PORT`, () => {
    assert.throws(() => serveStatus(hostPort, source), (thrown) => {
      assert.ok(thrown instanceof SluiceError && thrown.fault === "usage");
      assert.equal(
        thrown.message,
        `Cannot serve HTTP on "${hostPort}": write HOST:PORT, for example 127.0.0.1:9108 or [::1]:9108`,
      );
      return true;
    });
  });
}

Deno.test("a port in use, and an address of another machine, are told with what to do", async () => {
  await withServer("127.0.0.1:0", (first) => {
    const hostPort = first.url.slice("http://".length);
    const refused: [hostPort: string, detail: string][] = [
      [hostPort, "another program listens there already; choose another port"],
      ["192.0.2.1:9108", "this machine has no such address; 0.0.0.0 stands for all it has"],
    ];
    for (const [one, detail] of refused) {
      assert.throws(() => serveStatus(one, source), {
        name: "SluiceError",
        fault: "permanent",
        message: `Cannot serve HTTP on ${one}: ${detail}`,
      });
    }
    return Promise.resolve();
  });
});

Deno.test("stop() ends although a client dawdles over its request; the port is free then", async () => {
  const server = serveStatus("127.0.0.1:0", source);
  const { port } = new URL(server.url);
  const address = { hostname: "127.0.0.1", port: Number(port) };
  const slow = await Deno.connect(address);
  await slow.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n"));
  const idle = await Deno.connect(address);
  await fetch(`${server.url}/healthz`).then((response) => response.text());
  assert.ok(await within(server.stop(), 60_000), "the stop came to no end");
  Deno.listen(address).close();
  slow.close();
  idle.close();
});
