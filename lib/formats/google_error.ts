import { type Fault, SluiceError } from "../core/errors.ts";

/** What one of Google's services said of a request that failed; the cause of the error it became. */
export class GoogleReport extends Error {
  override readonly name = "GoogleReport";

  constructor(
    /** A word of a fixed list, `notFound`; empty when there was no answer or no word in it. */
    readonly reason: string,
    /** Of the answer; 0 when there was none. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The reasons that decide by themselves, whatever the status; BigQuery sends several with 403. */
const faults: Readonly<Record<string, Fault>> = {
  rateLimitExceeded: "transient",
  userRateLimitExceeded: "transient",
  jobRateLimitExceeded: "transient",
  backendError: "transient",
  jobBackendError: "transient",
  internalError: "transient",
  jobInternalError: "transient",
  tableUnavailable: "transient",
  timeout: "transient",
  accessDenied: "denied",
  authError: "denied",
  forbidden: "denied",
  insufficientPermissions: "denied",
  required: "denied",
  // Sent with 403, though no right is missing: another try or other rights do not help.
  billingNotEnabled: "permanent",
  billingTierLimitExceeded: "permanent",
  blocked: "permanent",
  quotaExceeded: "permanent",
  responseTooLarge: "permanent",
};

/** The fault kind of a reason that a job ended with, or a request was refused with. */
export function faultOfReason(reason: string): Fault {
  return faults[reason] ?? "permanent";
}

/** What Google's libraries throw, as far as we read it. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  /** A status, or the system's code. */
  readonly code?: unknown;
  readonly status?: unknown;
  readonly type?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly response?: {
    readonly status?: unknown;
    readonly statusCode?: unknown;
    readonly data?: unknown;
  };
}

/**
 * Anything that a library of Google's threw while `action` was tried, as an error of ours whose cause
 * is a {@linkcode GoogleReport}. The library's own error is not kept: it repeats the request with its
 * access token.
 */
export function googleError(action: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const chain = chainOf(thrown);
  const status = chain.map(statusOf).find((one) => one !== undefined) ?? 0;
  const text = oneLine(String(chain.map(({ message }) => message).find(Boolean) ?? "it failed"));
  const said = firstError(thrown);
  const message = said?.message ?? text;
  const report = new GoogleReport(said?.reason ?? "", status, message);
  const credentials = credentialsTrouble(chain, message);
  if (credentials !== undefined) {
    return new SluiceError(action, "denied", credentials, { cause: report });
  }
  if (status === 0) {
    const [fault, detail] = withoutAnswer(chain, message);
    return new SluiceError(action, fault, detail, { cause: report });
  }
  const words = report.reason === "" ? `status ${status}` : `${report.reason}, status ${status}`;
  return new SluiceError(action, faultOfAnswer(report), `${message} (${words})`, { cause: report });
}

/** The reason that Google gave for this error; null when it gave none. */
export function googleReasonOf(thrown: unknown): string | null {
  return googleReportOf(thrown)?.reason || null;
}

/** What Google said of this error; undefined for an error of another origin. */
export function googleReportOf(thrown: unknown): GoogleReport | undefined {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof GoogleReport ? cause : undefined;
}

/** What `act` gives; null when Google answers that it is not there. */
export async function googleOrNull<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (thrown) {
    if (googleReportOf(thrown)?.status === 404) return null;
    throw thrown;
  }
}

function faultOfAnswer({ reason, status }: GoogleReport): Fault {
  const known = faults[reason];
  if (known) return known;
  if (status === 501) return "permanent"; // nobody there knows this call
  if (status === 408 || status === 429 || status >= 500) return "transient";
  if (status === 401 || status === 403) return "denied";
  // A 2xx whose body was cut or is no JSON.
  return status < 300 ? "transient" : "permanent";
}

function firstError(
  thrown: unknown,
): { readonly reason: string; readonly message: string } | undefined {
  const { errors } = (thrown ?? {}) as Thrown;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (typeof first !== "object" || first === null) return undefined;
  const { reason, message } = first as { readonly reason?: unknown; readonly message?: unknown };
  if (typeof message !== "string") return undefined;
  return { reason: typeof reason === "string" ? reason : "", message: oneLine(message) };
}

function statusOf({ code, status, response }: Thrown): number | undefined {
  const found = [code, status, response?.statusCode, response?.status].map(Number);
  return found.find((one) => one >= 100 && one < 600);
}

const noCredentials = "there are no credentials; log in with `gcloud auth application-default " +
  "login`, set GOOGLE_APPLICATION_CREDENTIALS, or name the file of a service account";

/** Trouble in getting an access token, before or instead of an answer of the service. */
function credentialsTrouble(chain: readonly Thrown[], message: string): string | undefined {
  if (/Could not load the default credentials/.test(message)) return noCredentials;
  for (const { response } of chain) {
    const data = response?.data as {
      readonly error?: unknown;
      readonly error_description?: unknown;
    };
    if (typeof data?.error !== "string" || !/^invalid_|^unauthorized_/.test(data.error)) continue;
    const why = typeof data.error_description === "string" ? `: ${data.error_description}` : "";
    return `Google refuses the credentials, ${data.error}${oneLine(why)}; renew them`;
  }
  return undefined;
}

const connection: readonly (readonly [RegExp, Fault, string])[] = [
  [/ECONNREFUSED/, "transient", "nobody listens there"],
  [/ENOTFOUND|EAI_AGAIN/, "transient", "its name is not known to the name server"],
  [
    /ECONNRESET|EPIPE|ECONNABORTED|socket hang up|Premature close/,
    "transient",
    "the connection was cut",
  ],
  [/ETIMEDOUT|request-timeout/, "transient", "it does not answer in time"],
  [
    /UnknownIssuer|UNABLE_TO_|SELF_SIGNED/,
    "permanent",
    "its certificate is not signed by an authority that we trust",
  ],
  [/NotValidForName|ALTNAME_INVALID/, "permanent", "its certificate is for another host name"],
];

function withoutAnswer(chain: readonly Thrown[], message: string): readonly [Fault, string] {
  for (const [pattern, fault, text] of connection) {
    const isMeant = chain.some(({ code, type, message }) =>
      pattern.test(`${String(code)} ${String(type)} ${String(message)}`)
    );
    if (isMeant) return [fault, text];
  }
  return ["transient", message];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function chainOf(thrown: unknown): Thrown[] {
  if (typeof thrown !== "object" || thrown === null) return [];
  return [thrown as Thrown, ...chainOf((thrown as Thrown).cause)];
}
