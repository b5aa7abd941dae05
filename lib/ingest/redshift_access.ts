import type { Store } from "../clients/store/store.ts";
import { SluiceError, usageError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { quoteLiteral } from "../formats/sql_text.ts";

/** How COPY may read the store's objects. */
export interface Access {
  /** A part of a COPY statement. */
  readonly clause: Secret;
  /** The same for people. */
  readonly shown: string;
  /** What must not be seen in what the server says. */
  readonly hidden: readonly string[];
}

const roles =
  /^(default|arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@\/-]+(,arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@\/-]+)*)$/;

/** @throws {SluiceError} `usage` for a role that is none: no ARN, no chain of them, not `default`. */
export function checkRole(role: string): string {
  if (roles.test(role)) return role;
  throw usageError(
    `use "${role}" as IAM role for Redshift`,
    "give arn:aws:iam::ACCOUNT:role/NAME, several with commas, or default",
  );
}

/**
 * By a role of the cluster's own, else by the keys that sluice asks S3 with ("Authorization parameters",
 * copy-parameters-authorization). A role is better: keys are in the statement, if nobody sees it.
 *
 * @param role an ARN, several with commas for a chain of them, or `default`.
 * @throws {SluiceError} `usage` for a role that is none; as the store does.
 */
export async function accessTo(store: Store, role: string | undefined): Promise<Access> {
  if (role !== undefined) {
    const text = `IAM_ROLE ${
      checkRole(role) === "default" ? role : quoteLiteral(role, "redshift")
    }`;
    return { clause: new Secret(text), shown: text, hidden: [] };
  }
  const keys = await store.keys?.();
  if (keys === undefined) {
    throw usageError(`load ${store.url} into Redshift`, "give a bucket of S3");
  }
  const id = keys.accessKeyId.reveal();
  const secret = keys.secretAccessKey.reveal();
  const token = keys.sessionToken?.reveal();
  const text = `aws_access_key_id=${id};aws_secret_access_key=${secret}` +
    (token === undefined ? "" : `;token=${token}`);
  return {
    clause: new Secret(`CREDENTIALS ${quoteLiteral(text, "redshift")}`),
    shown: "CREDENTIALS '[secret]'",
    // The server repeats the statement as it was written, too.
    hidden: [secret, id, token ?? ""].flatMap((
      one,
    ) => [one, quoteLiteral(one, "redshift").slice(1, -1)]),
  };
}

/** A failure without anything that is hidden; its cause, which may hold it too, is left behind. */
export function censored(thrown: unknown, { hidden }: Access): unknown {
  if (!(thrown instanceof SluiceError) || hidden.length === 0) return thrown;
  return new SluiceError(thrown.action, thrown.fault, hide(thrown.detail, hidden));
}

/** A text in which each of these stands as `[secret]`. */
export function hide(text: string, hidden: readonly string[]): string {
  return hidden.reduce(
    (shown, one) => one === "" ? shown : shown.replaceAll(one, "[secret]"),
    text,
  );
}
