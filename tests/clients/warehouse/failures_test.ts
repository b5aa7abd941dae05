import assert from "node:assert/strict";
import { connectionFailure, reportedFailure } from "../../../lib/clients/warehouse/failures.ts";
import {
  copyContextOf,
  reportFrom,
  serverReportOf,
} from "../../../lib/clients/warehouse/server_report.ts";
import { type Fault, faultOf, reasonOf } from "../../../lib/core/errors.ts";

/** The circumstances as the server tells them; table, line, column, value. */
const contexts: readonly (readonly [string, readonly (string | number | undefined)[]])[] = [
  ['COPY t, line 2, column id: "bad"', ["t", 2, "id", "bad"]],
  ["COPY t, line 2, column id: null input", ["t", 2, "id", undefined]],
  ["COPY t, line 7", ["t", 7, undefined, undefined]],
  ['COPY t, line 1: ""', ["t", 1, undefined, ""]],
  ['COPY t, line 1, column a: ""', ["t", 1, "a", ""]],
  ['COPY t, line 2: "a, line 3: "x""', ["t", 2, undefined, 'a, line 3: "x"']],
  ['COPY odd, name, line 12, column a: b: "x\ny"', ["odd, name", 12, "a: b", "x\ny"]],
  ['COPY t, line 9, column "q": "1"', ["t", 9, '"q"', "1"]],
  ['COPY t, line 2, column id: "bad"\nSQL statement "COPY"', ["t", 2, "id", "bad"]],
  ["COPY t, Zeile 3, Spalte id: »abc«", ["t", 3, "id", "abc"]],
  ["COPY t, ligne 3, colonne id : « abc »", ["t", 3, "id", "abc"]],
];

for (const [where, expected] of contexts) {
  Deno.test(`The context ${JSON.stringify(where)} is taken apart`, () => {
    const { table, line, column, value } = copyContextOf(where) ?? {};
    assert.deepEqual([table, line, column, value], expected);
  });
}

Deno.test("What is not the context of COPY gives none", () => {
  for (const where of [undefined, "", "PL/pgSQL function f() line 2 at RAISE", "COPY t"]) {
    assert.equal(copyContextOf(where), undefined);
  }
});

const faults: readonly (readonly [string, string, Fault])[] = [
  ["08006", "connection failure", "transient"],
  ["40001", "could not serialize access", "transient"],
  ["40P01", "deadlock detected", "transient"],
  ["40002", "constraint", "permanent"],
  ["53300", "sorry, too many clients already", "transient"],
  ["55P03", "could not obtain lock", "transient"],
  ["57014", "canceling statement due to statement timeout", "transient"],
  ["57P01", "terminating connection due to administrator command", "transient"],
  ["57P03", "the database system is starting up", "transient"],
  ["57P04", "database was dropped", "permanent"],
  ["28P01", "password authentication failed", "denied"],
  ["28000", "no pg_hba.conf entry", "denied"],
  ["42501", "permission denied for table t", "denied"],
  ["3D000", 'database "d" does not exist', "permanent"],
  ["22P02", "invalid input syntax", "permanent"],
  ["23505", "duplicate key", "permanent"],
  ["42601", "syntax error", "permanent"],
  // Redshift's code for nearly everything.
  ["XX000", "1023", "transient"],
  ["XX000", "Serializable isolation violation on table - 100", "transient"],
  ["XX000", "could not complete because of conflict with concurrent transaction", "transient"],
  ["XX000", "Load into table 't' failed. Check 'sys_load_error_detail'", "permanent"],
  ["XX000", "S3ServiceException: code 1023045", "permanent"],
];

for (const [sqlState, message, fault] of faults) {
  Deno.test(`${sqlState} "${message}" is ${fault}`, () => {
    const failure = reportedFailure("run", { sqlState, message, severity: "ERROR" });
    assert.equal(failure.fault, fault);
    assert.ok(failure.message.startsWith(`Cannot run: ${message}`));
    assert.ok(failure.message.endsWith(`(${sqlState})`));
  });
}

Deno.test("1023 is known by its detail, too", () => {
  const detail = "Serializable isolation violation on table - 100, transactions forming the cycle";
  const report = { sqlState: "XX000", message: "1023", severity: "ERROR", detail };
  assert.equal(reportedFailure("run", report).fault, "transient");
});

Deno.test("A report hangs on the failure, however deep, and on nothing else", () => {
  const report = { sqlState: "23505", message: "m", severity: "ERROR", detail: "d" };
  const failure = reportedFailure("run", report);
  assert.equal(
    serverReportOf(new Error("a", { cause: new Error("b", { cause: failure }) })),
    report,
  );
  assert.equal(serverReportOf(new Error("a")), null);
  assert.equal(serverReportOf("a"), null);
  assert.equal(reportFrom({ code: "ECONNRESET", message: "read ECONNRESET" }), undefined);
});

Deno.test("The text of a failure is one line, which commands no terminal", () => {
  const message = "bad \u001b[31m\nvalue";
  const failure = reportedFailure("run", { sqlState: "22P02", message, severity: "ERROR" });
  assert.equal(failure.message, "Cannot run: bad \\u001b[31m\\u000avalue (22P02)");
});

const lost: readonly (readonly [Error, Fault, RegExp])[] = [
  [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "transient", /nobody listens/],
  [Object.assign(new Error("x"), { code: "ENOTFOUND" }), "transient", /name is not known/],
  [new Error("timeout expired"), "transient", /does not answer in time/],
  [new Error("Connection terminated unexpectedly"), "transient", /connection was cut/],
  [Object.assign(new Error("write"), { code: "EPIPE" }), "transient", /connection was cut/],
  [new Error("The server does not support SSL connections"), "permanent", /sslmode=disable/],
  [new Error("invalid peer certificate: UnknownIssuer"), "permanent", /sslrootcert/],
  [new Error("a", { cause: new Error("CERT_HAS_EXPIRED") }), "permanent", /has expired/],
  [
    new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string"),
    "denied",
    /asks for a password/,
  ],
];

for (const [thrown, fault, said] of lost) {
  Deno.test(`A connection that fails with "${thrown.message}" is ${fault}`, () => {
    const failure = connectionFailure("connect", thrown);
    assert.equal(faultOf(failure), fault);
    assert.match(reasonOf(failure), said);
  });
}
