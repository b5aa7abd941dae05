import { type Fault, reasonOf, SluiceError } from "../../core/errors.ts";
import { visible } from "../../core/visible.ts";
import { ReportedError, type ServerReport } from "./server_report.ts";

/** Faults by SQLSTATE, or by its first two characters; anything else is `permanent`. */
const faults: Readonly<Record<string, Fault>> = {
  // Connections.
  "08": "transient",
  // No memory, no room on the disk, too many connections.
  "53": "transient",
  // The administrator: stopping, starting up, crashed, cancelled, idle for too long.
  "57": "transient",
  // The database was dropped while we were in it.
  "57P04": "permanent",
  // Serialization, deadlock: the transaction was undone for the sake of another one.
  "40": "transient",
  // A deferred constraint does not hold.
  "40002": "permanent",
  // A lock that was not to be had in time.
  "55P03": "transient",
  // Another session uses it: DROP DATABASE, or CREATE DATABASE from it.
  "55006": "transient",
  // Standbys: the row was removed, or this server is about to become the primary.
  "72000": "transient",
  "25P03": "transient",
  "25P04": "transient",
  "28": "denied",
  "42501": "denied",
};

/** The fault kind of what a server reports. */
export function faultOfReport({ sqlState, message, detail = "" }: ServerReport): Fault {
  // Redshift has no code of its own for it, and calls everything else XX000, too.
  if (sqlState === "XX000" && isRedshiftConflict(`${message} ${detail}`)) return "transient";
  if (sqlState === "XX000") return faultOfNodes(`${message} ${detail}`);
  return faults[sqlState] ?? faults[sqlState.slice(0, 2)] ?? "permanent";
}

function isRedshiftConflict(text: string): boolean {
  return /^1023\b|serializable isolation violation|conflict with concurrent transaction/i
    .test(text.trim());
}

/**
 * What Redshift's COPY says of S3, also with XX000: "S3ServiceException:Access Denied,Status 403,Error
 * AccessDenied,Rid ...,CanRetry 1" ("Troubleshooting data loads", s3serviceexception-error), and of
 * roles: "not authorized to assume IAM Role", "not authorized to get credentials of role".
 */
function faultOfNodes(text: string): Fault {
  if (/not authorized to (assume|get credentials)|role .*(is not attached|not found)/i.test(text)) {
    return "denied";
  }
  // No room on the disks (code 1016), no memory, and queries that the workload manager has ended.
  if (/\bdisk full\b|\bout of memory\b|\b(cancel|abort)\w* by WLM|WLM \w+ action/i.test(text)) {
    return "transient";
  }
  const [, status, code = ""] = /S3ServiceException:[^]*?,Status (\d+),Error (\w+)/.exec(text) ??
    [];
  if (status === undefined) return "permanent";
  if (status === "401" || status === "403") return "denied";
  if (/^(ExpiredToken|InvalidToken|TokenRefreshRequired)$/.test(code)) return "denied";
  // An object that was there a moment ago may be there in a moment, under another etag.
  if (/^(404|429|5..)$/.test(status) || code === "SlowDown") return "transient";
  return "usage";
}

const advice: Readonly<Record<string, string>> = {
  "28P01": "check the user and the password",
  "28000": "check the user, and what the server allows in pg_hba.conf",
  "3D000": "create it, or correct the URL",
  "53300": "it has as many connections as it may",
  "25P02": "a statement before has failed; ROLLBACK first",
};

/** The error for what a server reports, with its report as the cause. */
export function reportedFailure(action: string, report: ServerReport): SluiceError {
  const { message, detail, hint, where, sqlState } = report;
  const more = [detail, report.copy ? where : undefined, hint, adviceOf(report)];
  const text = [message, ...more.filter((one) => one !== undefined && one !== "")]
    .map((one) => visible(String(one)).replace(/\.$/, ""))
    .join("; ");
  return new SluiceError(action, faultOfReport(report), `${text} (${sqlState})`, {
    cause: new ReportedError(report),
  });
}

function adviceOf({ sqlState, message }: ServerReport): string | undefined {
  if (sqlState === "XX000" && /S3ServiceException.*,Error PermanentRedirect/s.test(message)) {
    return "the bucket is in another region: add REGION '...' to the options of COPY";
  }
  return advice[sqlState];
}

type Verdict = readonly [fault: Fault, advice: string];

/** Errors of a connection by the codes of the system and of TLS, or what Deno says in their place. */
const connection: readonly (readonly [RegExp, Verdict])[] = [
  [/ECONNREFUSED/, ["transient", "nobody listens there"]],
  [/ENOTFOUND|EAI_AGAIN/, ["transient", "its name is not known to the name server"]],
  [/timeout expired|ETIMEDOUT/, ["transient", "it does not answer in time"]],
  [
    /UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|CERT_UNTRUSTED|UNKNOWN_ISSUER|UnknownIssuer|CaUsedAsEndEntity/,
    [
      "permanent",
      "its certificate is not signed by an authority that we trust; name the file of its own as " +
      "sslrootcert",
    ],
  ],
  [
    /ALTNAME_INVALID|HOSTNAME_MISMATCH|NotValidForName|does not match certificate/,
    ["permanent", "its certificate is for another host name"],
  ],
  [/CERT_HAS_EXPIRED|certificate: Expired/, ["permanent", "its certificate has expired"]],
  [
    /does not support SSL/,
    ["permanent", "the server does not speak TLS; give sslmode=disable if the network is safe"],
  ],
  [/error establishing an SSL/, ["permanent", "what listens there is no PostgreSQL with TLS"]],
  [/^SASL|must be a (non-empty )?string/, ["denied", "the server asks for a password; give one"]],
  [/ENOENT/, ["transient", "there is no socket in this folder"]],
  [/EACCES|EPERM|PermissionDenied/, ["denied", "this user may not connect to it"]],
];

/** The error for a connection that was not made or is lost. */
export function connectionFailure(action: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const said = codesOf(thrown);
  for (const [pattern, [fault, text]] of connection) {
    if (said.some((one) => pattern.test(one))) {
      return new SluiceError(action, fault, text, { cause: thrown });
    }
  }
  const text = /terminated|ECONNRESET|EPIPE|ECONNABORTED|reset|closed|broken pipe/i
      .test(said.join(" "))
    ? "the connection was cut"
    : visible(reasonOf(thrown));
  return new SluiceError(action, "transient", text, { cause: thrown });
}

function codesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [String(thrown)];
  const { code, cause, errors } = thrown as {
    readonly code?: unknown;
    readonly cause?: unknown;
    readonly errors?: readonly unknown[];
  };
  return [
    ...(code === undefined ? [] : [String(code)]),
    thrown.message,
    ...(errors ?? []).flatMap(codesOf),
    ...(cause === undefined ? [] : codesOf(cause)),
  ];
}
