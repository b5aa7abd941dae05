import { type Fault, reasonOf, SluiceError } from "../../core/errors.ts";
import { givenUp } from "./body.ts";

/** The parts of what the client throws that say what happened. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number };
}

type Verdict = readonly [fault: Fault, advice: string];

const checkKeys = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile";

/** Errors of S3 and of its client by their names; others go by the status. */
const verdicts: Readonly<Record<string, Verdict>> = {
  NoSuchBucket: ["permanent", "there is no such bucket; create it or correct the URL"],
  InvalidBucketName: ["permanent", "no bucket can have this name; correct the URL"],
  AccessDenied: [
    "denied",
    "these credentials may not; grant s3:ListBucket, s3:GetObject and s3:PutObject",
  ],
  AllAccessDisabled: ["denied", "the account has no access to this bucket"],
  AccountProblem: ["denied", "there is a problem with the account"],
  InvalidAccessKeyId: ["denied", `the store does not know the access key; ${checkKeys}`],
  // As versitygw has it, with the status 404.
  XAdminUserNotFound: ["denied", `the store does not know the access key; ${checkKeys}`],
  SignatureDoesNotMatch: ["denied", `the secret key is wrong; ${checkKeys}`],
  InvalidToken: ["denied", "the session token is wrong; log in again"],
  ExpiredToken: ["denied", "the session token has expired; log in again"],
  ExpiredTokenException: ["denied", "the session token has expired; log in again"],
  TokenRefreshRequired: ["denied", "the session token has expired; log in again"],
  CredentialsProviderError: [
    "denied",
    "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, " +
    "or give the machine a role",
  ],
  RequestTimeTooSkewed: ["denied", "this machine's clock differs from the store's; set it"],
  InvalidObjectState: ["permanent", "the object is in an archive tier; restore it first"],
  NoSuchKey: ["permanent", "there is no such object"],
  EntityTooSmall: ["permanent", "a part is smaller than the store allows; use larger parts"],
  // 404 and 4xx that pass: the upload was finished by a request whose reply was lost, or somebody
  // has removed it; the bytes were hurt or cut on their way; another writer was at the same key.
  NoSuchUpload: ["transient", "the upload has ended; its reply was lost, or somebody aborted it"],
  BadDigest: ["transient", "the bytes were damaged on their way"],
  XAmzContentSHA256Mismatch: ["transient", "the bytes were damaged on their way"],
  IncompleteBody: ["transient", "the store did not get all bytes"],
  RequestTimeout: ["transient", "the store got no bytes for too long"],
  ConditionalRequestConflict: ["transient", "another writer was at the same key"],
  OperationAborted: ["transient", "another change of the same thing was under way"],
  SlowDown: ["transient", "the store asks for fewer requests"],
  TooManyRequests: ["transient", "the store asks for fewer requests"],
};

const notS3 = "the answer is not one of S3; is the endpoint right?";

/** Errors of a connection by the codes of the system, OpenSSL and node:tls. */
const connection: readonly (readonly [RegExp, Verdict])[] = [
  [/^ECONNREFUSED$/, ["transient", "nobody listens there"]],
  [/^(ENOTFOUND|EAI_AGAIN)$/, ["transient", "its name is not known to the name server"]],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$/, ["transient", "the connection was cut"]],
  [
    /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|CERT_UNTRUSTED|UNKNOWN_ISSUER)/,
    [
      "permanent",
      "its certificate is not signed by an authority that we trust; name the file of its own in " +
      "AWS_CA_BUNDLE",
    ],
  ],
  [/ALTNAME_INVALID|HOSTNAME_MISMATCH/, ["permanent", "its certificate is for another host name"]],
  [/^CERT_HAS_EXPIRED/, ["permanent", "its certificate has expired"]],
  [/WRONG_VERSION_NUMBER/, ["permanent", "this port does not speak TLS; is the endpoint http://?"]],
  // Also what is left of an answer that was cut.
  [/^HPE_/, ["transient", "the answer is not HTTP; is the endpoint https://?"]],
];

/**
 * Anything that the client of S3 threw while `action` was tried, as an error of ours. What the store
 * answered is not kept as its cause: an answer about a wrong signature repeats the request with its
 * session token.
 */
export function s3Error(action: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const chain = chainOf(thrown);
  if (chain.some(({ name }) => name === "AbortError")) return givenUp(action);
  const named = chain.map(({ name }) => verdicts[String(name)]).find((one) => one);
  const [fault, text] = named ?? byStatus(statusOf(thrown), thrown) ?? byConnection(chain);
  return new SluiceError(action, fault, text);
}

/** The error of an answer that is well, but not one of S3: some web server is there. */
export function notS3Error(action: string): SluiceError {
  return new SluiceError(action, "permanent", notS3);
}

/** The status of the answer; undefined when there was none. */
export function statusOf(thrown: unknown): number | undefined {
  const { $metadata, $response } = (thrown ?? {}) as Thrown;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** Whether the answer has one of these statuses. */
export function hasStatus(thrown: unknown, ...statuses: readonly number[]): boolean {
  const status = statusOf(thrown);
  return status !== undefined && statuses.includes(status);
}

function byStatus(status: number | undefined, thrown: unknown): Verdict | undefined {
  if (status === undefined) return undefined;
  const said = `the store answers ${status} ${plain(reasonOf(thrown))}`.trim();
  if (status >= 500 || status === 429 || status === 408) return ["transient", said];
  if (status === 401 || status === 403) {
    const denied = verdicts["AccessDenied"]?.[1] ?? "";
    return ["denied", `the store answers ${status}: ${denied}`];
  }
  if (status < 300) return ["permanent", notS3];
  return ["permanent", said];
}

function byConnection(chain: readonly Thrown[]): Verdict {
  for (const [pattern, verdict] of connection) {
    if (chain.some(({ code, message }) => pattern.test(String(code)) || isIn(message, pattern))) {
      return verdict;
    }
  }
  const timeOut = chain.find(({ name }) => name === "TimeoutError");
  if (timeOut) return ["transient", "it does not answer in time"];
  const text = chain.map(({ message }) => message).findLast((one) => one);
  return ["transient", plain(String(text ?? "the connection failed"))];
}

/** Deno tells of certificates in the text: "invalid peer certificate: UnknownIssuer". */
function isIn(message: unknown, pattern: RegExp): boolean {
  const found = /invalid peer certificate: (\w+)/.exec(String(message))?.[1];
  const code = { UnknownIssuer: "UNKNOWN_ISSUER", Expired: "CERT_HAS_EXPIRED" }[found ?? ""] ??
    (found?.startsWith("NotValidForName") ? "HOSTNAME_MISMATCH" : undefined) ??
    (/wrong version number/.test(String(message)) ? "WRONG_VERSION_NUMBER" : undefined);
  return code !== undefined && pattern.test(code);
}

/** One line; "UnknownError" is what the client says about an answer without a body. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/^Unknown(Error)?$/, "").trim();
}

function chainOf(thrown: unknown): Thrown[] {
  if (typeof thrown !== "object" || thrown === null) return [];
  const { cause, errors } = thrown as Thrown;
  return [thrown as Thrown, ...(errors ?? []).flatMap(chainOf), ...chainOf(cause)];
}
