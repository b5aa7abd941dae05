import assert from "node:assert/strict";
import {
  type Row,
  type RowStream,
  serverReportOf,
  type Session,
  type Warehouse,
} from "../../../lib/clients/warehouse/warehouse.ts";
import { type Fault, faultOf } from "../../../lib/core/errors.ts";
import { within } from "../../support/waiting.ts";

/** The pieces, as bytes, one at a time. */
export async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    await Promise.resolve();
    yield new TextEncoder().encode(text);
  }
}

/** Fails with this fault and SQLSTATE; what the server said of it. */
export async function rejectsWith(
  promise: Promise<unknown>,
  fault: Fault,
  sqlState: string | undefined,
) {
  const outcome = promise.then((value) => ({ value }), (thrown) => ({ thrown }));
  assert.ok(await within(outcome, 90_000), "neither resolved nor rejected within 90 s");
  const settled = await outcome;
  assert.ok("thrown" in settled, "was not rejected");
  const report = serverReportOf(settled.thrown);
  assert.equal(report?.sqlState, sqlState, String(settled.thrown));
  assert.equal(faultOf(settled.thrown), fault, String(settled.thrown));
  return report;
}

/** All rows of a stream. */
export async function rowsOf(stream: RowStream): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of stream) rows.push(...batch);
  return rows;
}

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const one of bytes) text += decoder.decode(one, { stream: true });
  return text;
}

const odd = 'odd "name", é; --';
const quoted = `"${odd.replaceAll('"', '""')}"`;

type Step = readonly [name: string, run: (session: Session, warehouse: Warehouse) => Promise<void>];

const queries: readonly Step[] = [
  ["a query gives names, types, text and nulls", async (session) => {
    const result = await session.query(
      "SELECT 1 AS a, NULL::text AS b, '' AS c, 'é€😀' AS d, 1.50 AS e, true AS f, ARRAY[1,2] AS g",
    );
    assert.deepEqual(result, {
      columns: [
        ...[{ name: "a", type: "int4" }, { name: "b", type: "text" }, { name: "c", type: "text" }],
        ...[{ name: "d", type: "text" }, { name: "e", type: "numeric" }],
        ...[{ name: "f", type: "bool" }, { name: "g", type: "_int4" }],
      ],
      rows: [["1", null, "", "é€😀", "1.50", "t", "{1,2}"]],
      affected: 1,
    });
  }],
  ["parameters are texts or nulls and are never SQL", async (session) => {
    const text = `a'b"c\\d é\n$1; DROP TABLE x`;
    const { rows } = await session.query("SELECT $1::int + 1, $2::text, $3::text", [
      "4",
      null,
      text,
    ]);
    assert.deepEqual(rows, [["5", null, text]]);
    await rejectsWith(session.query("SELECT $1::int", ["x"]), "permanent", "22P02");
    assert.deepEqual((await session.query("SELECT 1", [])).rows, [["1"]]);
  }],
  ["rows touched are told", async (session) => {
    assert.equal(
      await session.execute(`CREATE TEMP TABLE ${quoted} (${quoted} int PRIMARY KEY)`),
      0,
    );
    const insert = `INSERT INTO ${quoted} SELECT generate_series(1, 5)`;
    assert.equal(await session.execute(insert), 5);
    const told = await session.query(`DELETE FROM ${quoted} WHERE ${quoted} > $1`, ["3"]);
    assert.deepEqual([told.affected, told.columns, told.rows], [2, [], []]);
    assert.equal(await session.execute(`BEGIN; DELETE FROM ${quoted}; ROLLBACK`), 0);
    const { columns, rows } = await session.query(`SELECT * FROM ${quoted} ORDER BY 1`);
    assert.deepEqual(columns, [{ name: odd, type: "int4" }]);
    assert.deepEqual(rows, [["1"], ["2"], ["3"]]);
  }],
  ["an error tells its code and the session goes on", async (session) => {
    const report = await rejectsWith(session.query("SELEC 1"), "permanent", "42601");
    assert.equal(report?.position, 1);
    await rejectsWith(session.query("SELECT * FROM nowhere"), "permanent", "42P01");
    await rejectsWith(session.execute("SELECT 1; SELECT 1/0; SELECT 2"), "permanent", "22012");
    assert.equal(session.isBroken, false);
    assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
    assert.deepEqual((await session.query("")).rows, []);
  }],
  ["after an error in a transaction only ROLLBACK helps", async (session) => {
    await session.execute("CREATE TEMP TABLE kept (id int)");
    await session.execute("BEGIN");
    await session.execute("INSERT INTO kept VALUES (1)");
    await rejectsWith(session.query("SELECT 1/0"), "permanent", "22012");
    await rejectsWith(session.query("SELECT 1"), "permanent", "25P02");
    await session.execute("ROLLBACK");
    assert.deepEqual((await session.query("SELECT count(*) FROM kept")).rows, [["0"]]);
  }],
  ["statements asked for at once run one after the other", async (session) => {
    const asked = [1, 2, 3, 4].map((i) => session.query(`SELECT ${i}`));
    const failing = rejectsWith(session.query("SELECT 1/0"), "permanent", "22012");
    const last = session.query("SELECT 5");
    const rows = (await Promise.all([...asked, last])).map((result) => result.rows[0]?.[0]);
    await failing;
    assert.deepEqual(rows, ["1", "2", "3", "4", "5"]);
  }],
];

const copies: readonly Step[] = [
  ["COPY takes pieces cut anywhere, and gives them back", async (session) => {
    await session.execute("CREATE TEMP TABLE t (id int, s text)");
    const text = "1\té€😀\n2\t\\N\n3\ta\\tb\n";
    const cut = Array.from(new TextEncoder().encode(text), (byte) => Uint8Array.of(byte));
    const one = new Uint8Array(1);
    const reused = async function* () {
      for (const byte of cut) {
        await Promise.resolve();
        one.set(byte);
        yield one;
      }
    };
    assert.equal(await session.copyIn("COPY t FROM STDIN", reused()), 3);
    assert.equal(await session.copyIn("COPY t FROM STDIN", pieces()), 0);
    assert.equal(await textOf(session.copyOut("COPY t TO STDOUT")), text);
    const { rows } = await session.query("SELECT s FROM t ORDER BY id");
    assert.deepEqual(rows, [["é€😀"], [null], ["a\tb"]]);
  }],
  [
    "COPY that is rejected in the middle stops the source and tells line, column and value",
    async (session) => {
      await session.execute("CREATE TEMP TABLE t (id int, s text)");
      await session.execute("BEGIN");
      let given = 0;
      const many = async function* () {
        const good = new TextEncoder().encode("1\tx\n".repeat(10_000));
        yield new TextEncoder().encode("1\ta\nbad\tb\n");
        for (; given < 5000; given++) {
          // Gives way, as a source that reads does.
          await new Promise((resolve) => setTimeout(resolve));
          yield good;
        }
      };
      const report = await rejectsWith(
        session.copyIn(
          "COPY t FROM STDIN",
          session.kind === "pglite" ? pieces("1\ta\nbad\tb\n") : many(),
        ),
        "permanent",
        "22P02",
      );
      assert.deepEqual(report?.copy, { table: "t", line: 2, column: "id", value: "bad" });
      assert.ok(given < 2000, `${given} pieces were taken after the bad one`);
      assert.equal(session.isBroken, false);
      await session.execute("ROLLBACK");
      assert.equal(await session.copyIn("COPY t FROM STDIN", pieces("1\tx\n")), 1);
    },
  ],
  ["COPY that is rejected at its end is told, and the session goes on", async (session) => {
    await session.execute("CREATE TEMP TABLE t (id int, s text)");
    const cut = session.copyIn("COPY t FROM STDIN", pieces("1\ta\n", "2"));
    const report = await rejectsWith(cut, "permanent", "22P04");
    assert.equal(report?.copy?.line, 2);
    // A constraint that is looked at when all rows are there.
    await session.execute(
      "CREATE TEMP TABLE u (id int, CONSTRAINT c UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    await rejectsWith(session.copyIn("COPY u FROM STDIN", pieces("1\n1\n")), "permanent", "23505");
    assert.deepEqual((await session.query("SELECT count(*) FROM u")).rows, [["0"]]);
  }],
  ["COPY whose source fails throws just that, and nothing is taken", async (session) => {
    await session.execute("CREATE TEMP TABLE t (id int, s text)");
    const mine = new Error("the file has ended too early");
    const failing = async function* () {
      yield* pieces("1\ta\n");
      throw mine;
    };
    await assert.rejects(
      session.copyIn("COPY t FROM STDIN", failing()),
      (thrown) => thrown === mine,
    );
    assert.equal(session.isBroken, false);
    assert.deepEqual((await session.query("SELECT count(*) FROM t")).rows, [["0"]]);
  }],
  ["COPY whose source is stuck can be cancelled", async (session) => {
    await session.execute("CREATE TEMP TABLE t (id int, s text)");
    let hasBegun = () => {};
    const begun = new Promise<void>((resolve) => hasBegun = resolve);
    const stuck = async function* () {
      yield* pieces("1\ta\n");
      hasBegun();
      await new Promise(() => {});
    };
    const cancelled = rejectsWith(
      session.copyIn("COPY t FROM STDIN", stuck()),
      "transient",
      "57014",
    );
    await begun;
    await session.cancel();
    await cancelled;
    assert.deepEqual((await session.query("SELECT count(*) FROM t")).rows, [["0"]]);
  }],
  ["what is no such COPY is refused without waiting for ever", async (session) => {
    await session.execute("CREATE TEMP TABLE t (id int, s text)");
    await rejectsWith(session.copyIn("SELECT 1", pieces("1")), "permanent", undefined);
    await rejectsWith(session.copyIn("COPY nowhere FROM STDIN", pieces("1")), "permanent", "42P01");
    await rejectsWith(session.execute("COPY t FROM STDIN"), "permanent", undefined);
    await rejectsWith(session.query("COPY t FROM STDIN"), "permanent", undefined);
    await rejectsWith(session.stream("COPY t FROM STDIN"), "permanent", undefined);
    await rejectsWith(textOf(session.copyOut("COPY t FROM STDIN")), "permanent", undefined);
    await rejectsWith(textOf(session.copyOut("SELECT 1")), "permanent", undefined);
    await rejectsWith(
      textOf(session.copyOut("COPY t TO STDOUT CSV QUOTE ''")),
      "permanent",
      "0A000",
    )
      .catch(() => {}); // the code differs between versions; that it ends is what counts
    assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  }],
];

const streams: readonly Step[] = [
  ["a stream gives all rows in order", async (session) => {
    const sql = "SELECT i, 'row ' || i AS s FROM generate_series(1, 50000) i ORDER BY i";
    const stream = await session.stream(sql);
    assert.deepEqual(stream.columns, [{ name: "i", type: "int4" }, { name: "s", type: "text" }]);
    let at = 0;
    for await (const batch of stream) {
      for (const row of batch) assert.deepEqual(row, [String(++at), `row ${at}`]);
    }
    assert.equal(at, 50_000);
    assert.deepEqual(await rowsOf(await session.stream("SELECT 1 WHERE false")), []);
    const none = await session.stream("CREATE TEMP TABLE made (id int)");
    assert.deepEqual([none.columns, await rowsOf(none)], [[], []]);
    await rejectsWith(session.stream("SELEC 1"), "permanent", "42601");
  }],
  ["a stream that fails on its way tells so behind the rows before", async (session) => {
    const sql = "SELECT 100000 / (100000 - i) FROM generate_series(1, 200000) i";
    const stream = await session.stream(sql);
    await rejectsWith(rowsOf(stream), "permanent", "22012");
    assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  }],
  ["a stream that is left early gives the session free", async (session) => {
    const stream = await session.stream("SELECT i FROM generate_series(1, 300000) i");
    for await (const _ of stream) break;
    const copied = session.copyOut("COPY (SELECT generate_series(1, 300000)) TO STDOUT");
    for await (const _ of copied) break;
    // Who only wants to know the columns.
    const unread = await session.stream("SELECT i FROM generate_series(1, 300000) i");
    await unread[Symbol.asyncIterator]().return?.();
    assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
  }],
  [
    "who asks for something within a result is told instead of waiting for ever",
    async (session) => {
      const stream = await session.stream("SELECT i FROM generate_series(1, 10) i");
      for await (const _ of stream) {
        await rejectsWith(session.query("SELECT 1"), "permanent", undefined);
      }
      assert.deepEqual((await session.query("SELECT 7")).rows, [["7"]]);
    },
  ],
];

const ends: readonly Step[] = [
  [
    "a closed session undoes what was not committed, and can be closed twice",
    async (_, warehouse) => {
      const first = await warehouse.connect({ applicationName: "contract" });
      await first.execute("CREATE TABLE undone (id int)");
      await first.execute("CREATE TEMP TABLE temporary (id int)");
      await first.execute("BEGIN; INSERT INTO undone VALUES (1)");
      await first.close();
      await first.close();
      assert.equal(first.isBroken, true);
      await rejectsWith(first.query("SELECT 1"), "permanent", undefined);
      const second = await warehouse.connect();
      assert.deepEqual((await second.query("SELECT count(*) FROM undone")).rows, [["0"]]);
      await rejectsWith(second.query("SELECT * FROM temporary"), "permanent", "42P01");
      await second.execute("DROP TABLE undone");
      await second.close();
    },
  ],
];

/** What every kind of warehouse does alike. */
export async function checkContract(t: Deno.TestContext, warehouse: Warehouse): Promise<void> {
  for (const [name, run] of [...queries, ...copies, ...streams, ...ends]) {
    await t.step(name, async () => {
      const session = await warehouse.connect();
      // The last ones open sessions of their own, of which PGlite has one at a time.
      if (ends.some(([end]) => end === name)) await session.close();
      await run(session, warehouse);
      await session.close();
    });
  }
}
