import { usageError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { Secret } from "../../core/secret.ts";

/** How the connection is secured, as libpq names it. */
export type TlsMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

/** Where a server is and how to log in. */
export interface PostgresPlace {
  readonly kind: "postgres" | "redshift";
  /** For messages: without the password. */
  readonly url: string;
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret | undefined;
  readonly tls: TlsPlan;
  readonly connectTimeoutMs: number;
  readonly applicationName: string | undefined;
}

/** What the URL says of TLS; files are read when a connection is made. */
export interface TlsPlan {
  readonly mode: TlsMode;
  /** PEM of authorities; "system" or undefined: those of the runtime. */
  readonly rootFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** A folder with a database for this process. */
export interface PglitePlace {
  readonly kind: "pglite";
  readonly url: string;
  readonly folder: string;
}

export type WarehousePlace = PostgresPlace | PglitePlace;

const action = "use the URL of the warehouse";
const forms =
  "give postgres://USER:PASSWORD@HOST/DATABASE, redshift://USER:PASSWORD@HOST/DATABASE, " +
  "jdbc:postgresql://HOST/DATABASE?user=USER&password=PASSWORD or pglite:FOLDER";
const encode = "in a password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25";

/** How long to wait for a connection unless the URL says `connect_timeout`. */
const usualConnectMs = 10_000;

/** Names that mean the same; drivers of old have other ones. */
const aliases: Readonly<Record<string, string>> = {
  uid: "user",
  username: "user",
  pwd: "password",
  dbname: "database",
  applicationname: "application_name",
  logintimeout: "connect_timeout",
  connecttimeout: "connect_timeout",
};

const known = [
  ...["user", "password", "host", "port", "database", "ssl", "sslmode", "sslrootcert", "sslcert"],
  ...["sslkey", "sslfactory", "connect_timeout", "application_name"],
];

/** What drivers for Java are told and what is always so, or means nothing, here. */
const ignored = new Set([
  ...["tcpkeepalive", "keepalives", "opentaskcount", "preparethreshold", "rewritebatchedinserts"],
  ...["sockettimeout", "loglevel", "dsiloglevel", "readonly", "binarytransfer", "gssencmode"],
  ...["assumeminserverversion", "defaultrowfetchsize", "blockingrowsmode", "filterlevel"],
]);

/**
 * Reads the URL of a warehouse.
 *
 * @throws {SluiceError} `usage`; the text never has the password in it, nor what may be a part of it.
 */
export function warehousePlaceOf(secret: Secret): WarehousePlace {
  const text = secret.reveal().trim();
  const found = /^(jdbc:)?([a-z][a-z0-9+.-]*):(.*)$/is.exec(text);
  const scheme = found?.[2]?.toLowerCase();
  const rest = found?.[3] ?? "";
  if (scheme === undefined) throw usageError(action, `it has no scheme; ${forms}`);
  if (scheme === "pglite" && !found?.[1]) return pglitePlaceOf(rest);
  if (!["postgres", "postgresql", "redshift"].includes(scheme)) {
    // Only what is a scheme for certain is shown: anything else may be a secret by mistake.
    if (!rest.startsWith("//")) {
      throw usageError(action, `it has no scheme that is known; ${forms}`);
    }
    throw usageError(action, `it begins ${found?.[1] ?? ""}${scheme}:; ${forms}`);
  }
  // Redshift's driver has also jdbc:redshift:iam://, whose passwords come from elsewhere.
  if (/^iam:/i.test(rest)) {
    throw usageError(action, "passwords by IAM are not supported; give a user and a password");
  }
  if (!rest.startsWith("//")) throw usageError(action, `// is missing behind ${scheme}:; ${forms}`);
  // Redshift's driver takes jdbc:redshift://HOST/DATABASE;UID=USER;PWD=PASSWORD, too.
  const isOfDriver = found?.[1] !== undefined && !rest.includes("?");
  const fields = isOfDriver ? rest.replace(";", "?").replaceAll(";", "&") : rest;
  return postgresPlaceOf(scheme === "redshift", fields);
}

/**
 * Whether a URL holds a password, or what may be one.
 *
 * @throws {SluiceError} `usage` as {@linkcode warehousePlaceOf}.
 */
export function hasPassword(url: Secret): boolean {
  const place = warehousePlaceOf(url);
  return place.kind !== "pglite" && place.password !== undefined;
}

/** The URL with this password, where it has none; of pglite, which has no passwords, as it is. */
export function withPassword(url: Secret, password: Secret): Secret {
  const place = warehousePlaceOf(url);
  if (place.kind === "pglite" || place.password !== undefined) return url;
  const text = url.reveal().trim();
  const joint = text.includes("?") ? "&" : /^jdbc:/i.test(text) ? ";" : "?";
  return new Secret(`${text}${joint}password=${encodeURIComponent(password.reveal())}`);
}

function pglitePlaceOf(rest: string): PglitePlace {
  const folder = rest.replace(/^\/\/(?=\/)/, "");
  if (folder === "" || /^\/\/|[?#\0]/.test(folder)) {
    throw usageError(action, "behind pglite: it names no folder; give pglite:FOLDER");
  }
  return { kind: "pglite", url: `pglite:${folder}`, folder };
}

function postgresPlaceOf(saysRedshift: boolean, rest: string): PostgresPlace {
  const url = parse(rest);
  const fields = fieldsOf(url);
  const host = fields.get("host") ?? decode("host", url.hostname).replace(/^\[(.*)\]$/, "$1");
  const kind = saysRedshift || isRedshiftHost(host) ? "redshift" : "postgres";
  const user = fields.get("user") ?? decode("user", url.username);
  const database = fields.get("database") ?? decode("database", url.pathname.slice(1));
  const port = portOf(fields.get("port") ?? url.port, kind);
  const given = fields.get("password") ?? decode("password", url.password);
  if (host === "") throw usageError(action, `it names no host; ${forms}`);
  if (user === "") throw usageError(action, `it names no user for ${host}; ${forms}`);
  if (database === "") throw usageError(action, `it names no database on ${host}; ${forms}`);
  const shownHost = host.startsWith("/") ? encodeURIComponent(host) : bracketed(host);
  return {
    kind,
    url: `${kind}://${encodeURIComponent(user)}@${shownHost}:${port}/${
      encodeURIComponent(database)
    }`,
    ...{ host, port, database, user },
    password: given === "" ? undefined : new Secret(given),
    tls: tlsOf(fields, kind, host),
    connectTimeoutMs: timeoutOf(fields.get("connect_timeout")),
    applicationName: fields.get("application_name"),
  };
}

function parse(rest: string): URL {
  // A scheme without rules of its own: nothing is corrected.
  const text = `warehouse:${rest}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) {
    const host = /@([a-z0-9.-]+):([^/?#@]*)(?:[/?#]|$)/i.exec(rest);
    if (host && !/^\d*$/.test(host[2] ?? "")) {
      throw usageError(action, `behind ${host[1]}: there is no port; or else, ${encode}`);
    }
    throw usageError(action, `its host and port cannot be made out; ${encode}`);
  }
  if (url.hash !== "") throw usageError(action, `there is a # in it; ${encode}`);
  if (url.pathname.slice(1).includes("/")) {
    throw usageError(action, `there is a / in the name of the database; ${encode}`);
  }
  return url;
}

/** The fields behind the question mark by their lower-case names. */
function fieldsOf(url: URL): Map<string, string> {
  const fields = new Map<string, string>();
  // Taken apart by hand: a plus sign is itself, in a password above all.
  for (const pair of url.search.slice(1).split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const written = (at < 0 ? pair : pair.slice(0, at)).toLowerCase();
    const name = aliases[written] ?? written;
    if (ignored.has(name)) continue;
    if (!known.includes(name)) throw unknownField(written);
    if (at < 0) throw usageError(action, `${name} has no value; write ${name}=VALUE`);
    if (fields.has(name)) throw usageError(action, `${name} is given twice; leave one out`);
    fields.set(name, decode(name, pair.slice(at + 1)));
  }
  return fields;
}

function unknownField(name: string): Error {
  // What is no word may be the rest of a password with a question mark or an ampersand in it.
  if (!/^[a-z_.]{1,40}$/.test(name)) {
    return usageError(action, `behind the question mark there is no NAME=VALUE; ${encode}`);
  }
  const near = nearest(name, known);
  const advice = near ? `did you mean ${near}?` : `known are ${known.join(", ")}`;
  return usageError(action, `it says ${name}=, which is not known; ${advice}`);
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usageError(action, `the ${name} has a % that begins no escape; write it as %25`);
  }
}

/** Provisioned clusters and workgroups of Serverless, also in China. */
function isRedshiftHost(host: string): boolean {
  return /\.redshift(-serverless)?\.amazonaws\.com(\.cn)?$/i.test(host);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function portOf(text: string, kind: "postgres" | "redshift"): number {
  if (text === "") return kind === "redshift" ? 5439 : 5432;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw usageError(action, "its port is not a number from 1 to 65535");
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return usualConnectMs;
  if (!/^\d{1,5}$/.test(text)) {
    throw usageError(action, `connect_timeout is ${text}; give it as a number of seconds`);
  }
  return text === "0" ? usualConnectMs : Number(text) * 1000;
}

const modes: Readonly<Record<string, TlsMode>> = {
  disable: "disable",
  allow: "prefer",
  prefer: "prefer",
  require: "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
};

function tlsOf(fields: ReadonlyMap<string, string>, kind: string, host: string): TlsPlan {
  const rootFile = fields.get("sslrootcert");
  const written = fields.get("sslmode")?.toLowerCase();
  const ssl = fields.get("ssl")?.toLowerCase();
  if (ssl !== undefined && !/^(true|false|1|0)$/.test(ssl)) {
    throw usageError(action, `ssl is ${ssl}; give ssl=true or ssl=false`);
  }
  // As the drivers for Java have it: to be verified, unless a factory is named that does not.
  const isLenient = /NonValidating/.test(fields.get("sslfactory") ?? "");
  const verified = isLenient ? "require" : "verify-full";
  const byDriver = ssl === undefined ? undefined : /^(true|1)$/.test(ssl) ? verified : "disable";
  // Redshift asks for TLS, as new clusters refuse all else; an authority that is named is heeded.
  const usual = kind === "redshift" ? "require" : rootFile === undefined ? "prefer" : "verify-full";
  const mode = modes[written ?? byDriver ?? usual];
  if (mode === undefined) {
    const advice = `give one of ${Object.keys(modes).join(", ")}`;
    throw usageError(action, `sslmode is ${written}, which is not known; ${advice}`);
  }
  return {
    // There is no TLS through the socket of a folder.
    mode: host.startsWith("/") ? "disable" : mode,
    rootFile: rootFile === "system" ? undefined : rootFile,
    certFile: fields.get("sslcert"),
    keyFile: fields.get("sslkey"),
  };
}
