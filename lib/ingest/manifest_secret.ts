import { usageError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";

/** Where the secrets that manifests refer to are kept. */
export interface SecretSources {
  readonly env: (name: string) => string | undefined;
  readonly readFile: (path: string) => Promise<string>;
}

/** Whether a text tells where a secret is, instead of being one. */
export function isReference(text: string): boolean {
  return /^(env|file):/.test(text);
}

/**
 * Gives the function that finds secrets by reference: `env:NAME` is an environment variable, `file:PATH`
 * a file, whose last line feed does not count. The secret of a file can be read anew when it expires.
 */
export function secretResolver(sources: SecretSources): (reference: string) => Promise<Secret> {
  const load = async (reference: string): Promise<Secret> => {
    const [, place, name = ""] = /^(env|file):(.*)$/s.exec(reference) ?? [];
    if (place === undefined || name === "") {
      throw usageError("find a secret", "give env:NAME or file:PATH");
    }
    const written = place === "env" ? sources.env(name) : await sources.readFile(name);
    const value = written?.replace(/\r?\n$/, "") ?? "";
    if (value === "") throw usageError(`use secret ${reference}`, "nothing is there");
    const secret = new Secret(value);
    return place === "file" ? secret.renewedBy(() => load(reference)) : secret;
  };
  return load;
}
