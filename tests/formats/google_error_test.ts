import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { faultOfReason, googleError, googleReasonOf } from "../../lib/formats/google_error.ts";

function answer(status: number, reason?: string) {
  const errors = reason === undefined ? [] : [{ reason, message: "as it is", domain: "global" }];
  return Object.assign(new Error("a summary"), { code: status, errors });
}

Deno.test("googleError() goes by the reason first and by the status then", () => {
  const cases: readonly (readonly [number, string | undefined, string])[] = [
    [403, "rateLimitExceeded", "transient"],
    [403, "userRateLimitExceeded", "transient"],
    [400, "jobBackendError", "transient"],
    [500, "internalError", "transient"],
    [503, "backendError", "transient"],
    [403, "accessDenied", "denied"],
    [403, "forbidden", "denied"],
    [401, "authError", "denied"],
    [403, "quotaExceeded", "permanent"],
    [403, "billingNotEnabled", "permanent"],
    [403, "responseTooLarge", "permanent"],
    [409, "duplicate", "permanent"],
    [404, "notFound", "permanent"],
    [412, "conditionNotMet", "permanent"],
    [400, "invalid", "permanent"],
    [403, "somethingNew", "denied"],
    [403, undefined, "denied"],
    [401, undefined, "denied"],
    [408, undefined, "transient"],
    [429, undefined, "transient"],
    [502, undefined, "transient"],
    [501, "notImplemented", "permanent"],
    [404, undefined, "permanent"],
    [200, undefined, "transient"],
  ];
  for (const [status, reason, fault] of cases) {
    const error = googleError("read it", answer(status, reason));
    assert.deepEqual(
      [error.fault, googleReasonOf(error)],
      [fault, reason ?? null],
      `${status} ${reason}`,
    );
  }
});

Deno.test("googleError() tells what Google said, on one line, with the reason and the status", () => {
  const thrown = answer(403, "accessDenied");
  Object.assign(thrown.errors[0] ?? {}, { message: "Access Denied:\n  Table p:d.t" });
  assert.equal(
    googleError("read the table p.d.t", thrown).message,
    "Cannot read the table p.d.t: Access Denied: Table p:d.t (accessDenied, status 403)",
  );
});

Deno.test("googleError() keeps nothing of a request that holds a token", () => {
  const request = { headers: { authorization: "Bearer canary" } };
  const thrown = Object.assign(answer(500), {
    response: { statusCode: 500, request },
    config: request,
  });
  const error = googleError("read it", thrown);
  assert.ok(!Deno.inspect(error, { depth: 20 }).includes("canary"));
});

Deno.test("googleError() takes a connection that fails for transient, and a certificate not", () => {
  const cases: readonly (readonly [Record<string, unknown>, string, RegExp])[] = [
    [{ code: "ECONNREFUSED" }, "transient", /nobody listens/],
    [{ code: "ENOTFOUND" }, "transient", /name server/],
    [{ code: "ECONNRESET" }, "transient", /was cut/],
    [{ cause: { code: "EPIPE" } }, "transient", /was cut/],
    [{ type: "request-timeout" }, "transient", /in time/],
    [{ message: "invalid peer certificate: UnknownIssuer" }, "permanent", /authority/],
    [{ message: "something else" }, "transient", /something else/],
  ];
  for (const [thrown, fault, text] of cases) {
    const error = googleError("read it", Object.assign(new Error("x"), thrown));
    assert.equal(error.fault, fault);
    assert.match(error.detail, text);
    assert.equal(googleReasonOf(error), null);
  }
});

Deno.test("googleError() takes missing and refused credentials for denied", () => {
  const missing = new Error("Could not load the default credentials. Browse to ...");
  assert.equal(googleError("log in", missing).fault, "denied");
  assert.match(googleError("log in", missing).detail, /GOOGLE_APPLICATION_CREDENTIALS/);
  const data = { error: "invalid_grant", error_description: "Token has been expired\nor revoked." };
  const refused = Object.assign(new Error("invalid_grant"), { response: { status: 400, data } });
  assert.equal(googleError("log in", refused).fault, "denied");
  assert.match(googleError("log in", refused).detail, /invalid_grant: Token has been expired or/);
});

Deno.test("googleError() leaves errors of ours as they are", () => {
  const ours = new SluiceError("do it", "usage", "no");
  assert.equal(googleError("read it", ours), ours);
});

Deno.test("faultOfReason() takes a reason that it does not know for permanent", () => {
  assert.deepEqual(
    ["backendError", "jobInternalError", "accessDenied", "invalidQuery", "stopped"].map(
      faultOfReason,
    ),
    ["transient", "transient", "denied", "permanent", "permanent"],
  );
});
