import type { AuthClient } from "google-auth-library";
import { usageError } from "../core/errors.ts";
import { googleError } from "../formats/google_error.ts";

export type { AuthClient } from "google-auth-library";

/** Who to be for Google. */
export interface GoogleCredentials {
  /** The JSON file of a service account. @default the application default credentials */
  readonly keyFile?: string;
  /** The e-mail address of a service account to act as. */
  readonly impersonate?: string;
}

/** All that BigQuery and Cloud Storage need. */
const scopes = ["https://www.googleapis.com/auth/cloud-platform"];

/**
 * Finds the credentials; access tokens are fetched when a request needs one, and kept until they
 * expire. Application default credentials are, in this order: the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, gcloud's file in the home folder, the machine's own account.
 *
 * @throws {SluiceError} `usage` for a file that cannot be read, `denied` without credentials.
 */
export async function signIn(credentials: GoogleCredentials): Promise<AuthClient> {
  const { keyFile, impersonate } = credentials;
  if (keyFile !== undefined) await checkKeyFile(keyFile);
  const { GoogleAuth, Impersonated } = await import("google-auth-library");
  const auth = new GoogleAuth({
    scopes,
    ...(keyFile === undefined ? {} : { keyFilename: keyFile }),
  });
  try {
    const sourceClient = await auth.getClient();
    if (impersonate === undefined) return sourceClient;
    return new Impersonated({
      sourceClient,
      targetPrincipal: impersonate,
      targetScopes: scopes,
    });
  } catch (thrown) {
    throw googleError("log in to Google", thrown);
  }
}

async function checkKeyFile(path: string): Promise<void> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (thrown) {
    throw usageError(`read ${path}`, "name the JSON file of a service account", thrown);
  }
  try {
    const { type } = JSON.parse(text) as { readonly type?: unknown };
    if (typeof type === "string") return;
  } catch {
    // Its text stays out of the message: there is a private key in such files.
  }
  throw usageError(`use ${path} as credentials`, "it is not the JSON file of a service account");
}
