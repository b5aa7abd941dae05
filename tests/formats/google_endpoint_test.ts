import assert from "node:assert/strict";
import { faultOf } from "../../lib/core/errors.ts";
import { googleEndpoint } from "../../lib/formats/google_endpoint.ts";

Deno.test("googleEndpoint() takes a URL, or HOST:PORT, with and without credentials", () => {
  const cases: readonly (readonly [text: string, hasCredentials: boolean, found: string | null])[] =
    [
      ["https://bigquery.googleapis.com", true, "https://bigquery.googleapis.com"],
      ["https://host:8443/", true, "https://host:8443"],
      ["127.0.0.1:9050", true, "http://127.0.0.1:9050"],
      ["localhost:9050", true, "http://localhost:9050"],
      ["http://[::1]:9050", true, "http://[::1]:9050"],
      ["http://host:9050", false, "http://host:9050"],
      ["http://host:9050", true, null],
      ["127.0.0.1.example.com:9050", true, null],
      ["http://", false, null],
      ["", false, null],
      ["ftp://host:21", false, null],
      ["https://user:canary@host", false, null],
    ];
  for (const [text, hasCredentials, found] of cases) {
    const options = { service: "BigQuery", hasCredentials };
    if (found !== null) assert.equal(googleEndpoint(text, options), found);
    else {
      assert.throws(() => googleEndpoint(text, options), (thrown: unknown) => {
        assert.equal(faultOf(thrown), "usage");
        assert.ok(!String(thrown).includes("canary"));
        return true;
      }, text);
    }
  }
});
