import { createPrivateKey } from "node:crypto";
import type { AuthClient } from "google-auth-library";
import { SluiceError, usageError } from "../core/errors.ts";
import { googleError } from "../formats/google_error.ts";

export type { AuthClient } from "google-auth-library";

/** Who to be for Google. */
export interface GoogleCredentials {
  /** The JSON file of a service account. @default the application default credentials */
  readonly keyFile?: string;
  /** The e-mail address of a service account to act as. */
  readonly impersonate?: string;
  /** Where tokens to act as it are asked for. @default Google's */
  readonly impersonationEndpoint?: string;
}

/** All that BigQuery and Cloud Storage need. */
const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
const impersonationEndpoint = "https://iamcredentials.googleapis.com";
/** How long a token to act as another account is good for; the longest that all accounts may have. */
const impersonatedSeconds = 3_600;

/**
 * Finds the credentials. Access tokens are fetched when a request needs one, and kept until they
 * expire. Application default credentials are, in this order: the file that
 * GOOGLE_APPLICATION_CREDENTIALS names, gcloud's file in the home folder, the machine's own account.
 *
 * @throws {SluiceError} `usage` for a file that cannot be used, `denied` without credentials.
 */
export async function signIn(credentials: GoogleCredentials): Promise<AuthClient> {
  const { keyFile, impersonate } = credentials;
  const source = keyFile === undefined ? await defaultClient() : await clientOf(keyFile);
  if (impersonate === undefined) return source;
  const { OAuth2Client } = await import("google-auth-library");
  const client = new OAuth2Client();
  const endpoint = credentials.impersonationEndpoint ?? impersonationEndpoint;
  client.refreshHandler = () => tokenOf(source, impersonate, endpoint);
  return client;
}

async function defaultClient(): Promise<AuthClient> {
  const file = Deno.env.get("GOOGLE_APPLICATION_CREDENTIALS");
  if (file) await credentialsIn(file);
  const { GoogleAuth } = await import("google-auth-library");
  try {
    return await new GoogleAuth({ scopes }).getClient();
  } catch (thrown) {
    throw googleError("log in to Google", thrown);
  }
}

async function clientOf(keyFile: string): Promise<AuthClient> {
  const { type, client_email: email, private_key: key, private_key_id: keyId } =
    await credentialsIn(keyFile);
  if (type !== "service_account") {
    const detail = `it is not the file of a service account but of ${JSON.stringify(type)}; for ` +
      "other kinds set GOOGLE_APPLICATION_CREDENTIALS";
    throw usageError(`use ${keyFile} as credentials`, detail);
  }
  if (typeof email !== "string" || typeof key !== "string") {
    throw usageError(`use ${keyFile} as credentials`, "client_email or private_key is missing");
  }
  const { JWT } = await import("google-auth-library");
  return new JWT({ email, key, scopes, ...(typeof keyId === "string" ? { keyId } : {}) });
}

async function credentialsIn(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (thrown) {
    throw usageError(`read ${path}`, "name a JSON file with Google's credentials", thrown);
  }
  const found = parsedCredentials(text);
  if (found === null) {
    throw usageError(`use ${path} as credentials`, "it is no JSON file with Google's credentials");
  }
  const { private_key: key } = found;
  if (typeof key === "string" && !isPrivateKey(key)) {
    // Found out when the first token is signed, it would look as if it might pass.
    const detail =
      "its private_key is damaged; take the file as it was downloaded, or make another";
    throw usageError(`use ${path} as credentials`, detail);
  }
  return found;
}

function parsedCredentials(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "type" in parsed) return { ...parsed };
  } catch {
    // Its text stays out of the message: there is a private key in such files.
  }
  return null;
}

function isPrivateKey(pem: string): boolean {
  try {
    createPrivateKey(pem);
    return true;
  } catch {
    return false;
  }
}

/** A token to act as `account`, asked for by `source`. */
async function tokenOf(source: AuthClient, account: string, endpoint: string) {
  const action = `act as ${account}`;
  try {
    const name = encodeURIComponent(account);
    const { data } = await source.request<{ accessToken: string; expireTime: string }>({
      url: `${endpoint}/v1/projects/-/serviceAccounts/${name}:generateAccessToken`,
      method: "POST",
      data: { scope: scopes, lifetime: `${impersonatedSeconds}s` },
      retry: false,
    });
    return { access_token: data.accessToken, expiry_date: Date.parse(data.expireTime) };
  } catch (thrown) {
    const error = googleError(action, thrown);
    if (error.fault !== "denied") throw error;
    const detail = `${error.detail}; grant roles/iam.serviceAccountTokenCreator on ${account}`;
    throw new SluiceError(action, "denied", detail, { cause: error.cause });
  }
}
