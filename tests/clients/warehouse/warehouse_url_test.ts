import assert from "node:assert/strict";
import {
  hasPassword,
  type PostgresPlace,
  warehousePlaceOf,
  withPassword,
} from "../../../lib/clients/warehouse/warehouse_url.ts";
import { faultOf, reasonOf } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";

function postgresOf(url: string): PostgresPlace {
  const place = warehousePlaceOf(new Secret(url));
  assert.ok(place.kind !== "pglite");
  return place;
}

/** URL, kind, then `user password host port database mode`. */
const good: readonly (readonly [string, string, string])[] = [
  ["postgres://u:p@h/d", "postgres", "u p h 5432 d prefer"],
  ["postgresql://u:p@h:5433/d?sslmode=disable", "postgres", "u p h 5433 d disable"],
  ["POSTGRES://u@h/d", "postgres", "u undefined h 5432 d prefer"],
  ["postgres://u:p%40%2F%3A%25%C3%A9@h/d%20e", "postgres", "u p@/:%é h 5432 d e prefer"],
  ["postgres://u:a@b@h/d", "postgres", "u a@b h 5432 d prefer"],
  ["postgres://u:a+b@h/d?password=", "postgres", "u undefined h 5432 d prefer"],
  ["postgres://[::1]:7/d?user=u&password=a+b%26c=d", "postgres", "u a+b&c=d ::1 7 d prefer"],
  ["postgres:///d?host=/run/pg&user=u", "postgres", "u undefined /run/pg 5432 d disable"],
  ["postgres://u@h/d?sslmode=verify-ca", "postgres", "u undefined h 5432 d verify-ca"],
  ["postgres://u@h/d?sslrootcert=/a", "postgres", "u undefined h 5432 d verify-full"],
  ["postgres://u@h/d?sslmode=Require", "postgres", "u undefined h 5432 d require"],
  ["jdbc:postgresql://h/d?user=u&password=p&ssl=true", "postgres", "u p h 5432 d verify-full"],
  [
    "jdbc:postgresql://h/d?user=u&password=p&ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory",
    "postgres",
    "u p h 5432 d require",
  ],
  ["jdbc:redshift://h/d;UID=u;PWD=p;ssl=false", "redshift", "u p h 5439 d disable"],
  ["redshift://u:p@h/d", "redshift", "u p h 5439 d require"],
  ["redshift://u:p@h/d?sslmode=disable", "redshift", "u p h 5439 d disable"],
  ["jdbc:redshift://h:1/d?UID=u&PWD=p&ssl=false", "redshift", "u p h 1 d disable"],
  [
    "jdbc:postgresql://c.x.eu-west-1.redshift.amazonaws.com:5439/d?tcpKeepAlive=true&user=u&password=p",
    "redshift",
    "u p c.x.eu-west-1.redshift.amazonaws.com 5439 d require",
  ],
  [
    "postgres://u:p@w.1.eu-west-1.redshift-serverless.amazonaws.com/d",
    "redshift",
    "u p w.1.eu-west-1.redshift-serverless.amazonaws.com 5439 d require",
  ],
];

for (const [url, kind, fields] of good) {
  Deno.test(`The URL ${url} is understood`, () => {
    const place = postgresOf(url);
    const { user, password, host, port, database, tls } = place;
    assert.equal(place.kind, kind);
    const got = [user, password?.reveal(), host, port, database, tls.mode].map(String);
    assert.equal(got.join(" "), fields);
    assert.ok(!place.url.includes("%40") || password === undefined, place.url);
    // What is shown can be read again, and is the same but for the password.
    assert.equal(postgresOf(place.url).url, place.url);
  });
}

/** What is wrong, and what the text must say of it; all of them have "hunter2" as password. */
const bad: readonly (readonly [string, RegExp])[] = [
  ["hunter2", /has no scheme/],
  ["u:hunter2@h/d", /has no scheme that is known/],
  ["mysql://u:hunter2@h/d", /begins mysql:; give postgres:/],
  ["hunter2:x", /has no scheme that is known/],
  ["postgres:u:hunter2@h/d", /\/\/ is missing behind postgres:/],
  ["postgres://u:hunter2@/d", /cannot be made out|names no host/],
  ["postgres://:hunter2@h/d", /names no user for h/],
  ["postgres://u:hunter2@h", /names no database on h/],
  ["postgres://u:hunter2@h/", /names no database on h/],
  ["postgres://u:hunter2@h:port/d", /behind h: there is no port/],
  ["postgres://u:hunter2@h:0/d", /port is not a number from 1 to 65535/],
  ["postgres://u:hunter2@h:99999/d", /cannot be made out|port/],
  ["postgres://u:hun/ter2@h/d", /write \/ as %2F/],
  ["postgres://u:hun#ter2@h/d", /write \/ as %2F/],
  ["postgres://u:hun?ter2@h/d", /write \/ as %2F|names no/],
  ["postgres://u:hunter2%@h/d", /password has a % that begins no escape/],
  ["postgres://u:hunter2@h/d/e", /a \/ in the name of the database/],
  ["postgres://u:hunter2@h/d#e", /a # in it/],
  ["postgres://u:hunter2@h/d?sslmod=disable", /says sslmod=.* did you mean sslmode/],
  ["postgres://u:hunter2@h/d?sslmode=on", /sslmode is on, which is not known; give one of disable/],
  ["postgres://u:hunter2@h/d?ssl=maybe", /ssl is maybe/],
  ["postgres://u:hunter2@h/d?connect_timeout=soon", /connect_timeout is soon/],
  ["postgres://u:hunter2@h/d?sslmode", /sslmode has no value/],
  ["postgres://h/d?user=u&user=v&password=hunter2", /user is given twice/],
  ["postgres://h/d?user=u&password=a&hunter2", /no NAME=VALUE/],
  ["jdbc:redshift:iam://h/d?user=u&password=hunter2", /by IAM are not supported/],
  ["pglite:", /names no folder/],
  ["pglite://host/d", /names no folder/],
];

for (const [url, said] of bad) {
  Deno.test(`The URL ${url} is refused, and its password is not told`, () => {
    assert.throws(() => warehousePlaceOf(new Secret(url)), (thrown) => {
      assert.equal(faultOf(thrown), "usage");
      assert.match(reasonOf(thrown), said);
      assert.doesNotMatch(reasonOf(thrown), /hun|ter2/);
      return true;
    });
  });
}

Deno.test("The URL of a folder is taken as it stands", () => {
  for (const folder of ["data", "./a b", "/var/lib/x", "../y"]) {
    const url = `pglite:${folder}`;
    assert.deepEqual(warehousePlaceOf(new Secret(url)), { kind: "pglite", url, folder });
  }
  assert.equal(warehousePlaceOf(new Secret("pglite:///var/x")).url, "pglite:/var/x");
});

const withoutPassword = [
  "postgres://u@h/d",
  "postgres://u@h/d?sslmode=disable",
  "jdbc:redshift://h/d;UID=u",
  "jdbc:redshift://h/d?UID=u",
  "jdbc:postgresql://h/d?user=u",
];

for (const url of withoutPassword) {
  Deno.test(`a password is put into ${url}, whatever it holds`, () => {
    const password = "p@/:%é?&;=+ #";
    assert.ok(!hasPassword(new Secret(url)));
    const whole = withPassword(new Secret(url), new Secret(password));
    assert.ok(hasPassword(whole));
    const place = warehousePlaceOf(whole);
    assert.equal(place.kind === "pglite" ? "" : place.password?.reveal(), password);
    assert.equal(place.url, warehousePlaceOf(new Secret(url)).url);
  });
}

Deno.test("a URL that has a password keeps it, and one of PGlite has none", () => {
  const whole = new Secret("postgres://u:p@h/d");
  assert.equal(withPassword(whole, new Secret("q")), whole);
  const folder = new Secret("pglite:d");
  assert.equal(withPassword(folder, new Secret("q")), folder);
  assert.ok(!hasPassword(folder));
});
