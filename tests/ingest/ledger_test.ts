import assert from "node:assert/strict";
import { ReportedError } from "../../lib/clients/warehouse/server_report.ts";
import type { Session } from "../../lib/clients/warehouse/warehouse.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Ledger } from "../../lib/ingest/ledger.ts";

/** A session where another one makes the ledger just when this one wants to. */
function losing(sqlState: string): { readonly session: Session; readonly statements: string[] } {
  const statements: string[] = [];
  const refused = (state: string) => {
    const cause = new ReportedError({ sqlState: state, message: "no", severity: "ERROR" });
    return new SluiceError("run a statement", "permanent", "no", { cause });
  };
  const session = {
    query: () => {
      statements.push("query");
      if (statements.length === 1) return Promise.reject(refused("42P01"));
      return Promise.resolve({ columns: [], rows: [], affected: 0 });
    },
    execute: () => {
      statements.push("execute");
      return Promise.reject(refused(sqlState));
    },
  } as unknown as Session;
  return { session, statements };
}

for (const sqlState of ["42P07", "23505", "42710"]) {
  Deno.test(`Ledger.ensure() is content when another has made it: ${sqlState}`, async () => {
    const { session, statements } = losing(sqlState);
    const ledger = new Ledger("postgres", { schema: null, name: "t" }, "ledger", "s3://b/d");
    assert.equal(await ledger.ensure(session), true);
    assert.deepEqual(statements, ["query", "execute", "query"]);
  });
}

Deno.test("Ledger.ensure() throws what keeps it from being made", async () => {
  const { session } = losing("42501");
  const ledger = new Ledger("postgres", { schema: null, name: "t" }, "ledger", "s3://b/d");
  await assert.rejects(ledger.ensure(session), SluiceError);
});
