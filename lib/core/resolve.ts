import { usageError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import type { Secret } from "./secret.ts";
import {
  envOf,
  flagOf,
  type Option,
  type OptionSpecs,
  valueError,
  type ValuesOf,
} from "./options.ts";

/** Where option values may come from; the first that has one wins: flag, environment, file, default. */
export interface Sources {
  /** What commander read: texts, arrays of texts for a repeated flag, true for a toggle. */
  readonly flags: Readonly<Record<string, string | readonly string[] | boolean>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The keys of the configuration file; empty without one. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The file's path, for messages. */
  readonly configPath?: string;
  /** The names of all commands: `archive verify` has variables that begin like those of `archive`. */
  readonly commands: readonly string[];
  /** Reads the file of a secret. */
  readonly readFile: (path: string) => Promise<string>;
  /** The systemd credential of this name, if the unit has one. */
  readonly credential?: (name: string) => Promise<string | undefined>;
}

/**
 * Settles the value of every option of a command.
 *
 * @throws {SluiceError} `usage` for unknown keys and variables (naming the nearest known one) and for
 * values that cannot be, before anything is opened.
 */
export async function resolveOptions<S extends OptionSpecs>(
  command: string,
  specs: S,
  sources: Sources,
): Promise<ValuesOf<S>> {
  refuseUnknownKeys(specs, sources);
  refuseUnknownVariables(command, specs, sources);
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(specs)) {
    values[name] = option.kind === "secret"
      ? await secretOf(command, name, option, sources)
      : valueOf(command, name, option, sources);
  }
  return values as ValuesOf<S>;
}

function valueOf(
  command: string,
  name: string,
  option: Option<unknown>,
  sources: Sources,
): unknown {
  const flag = sources.flags[name];
  if (flag !== undefined) return read(option, [flag].flat(), `--${name}`);
  const variable = envOf(command, name);
  const written = sources.env[variable];
  if (written !== undefined) return read(option, [written], variable);
  const key = sources.config[name];
  if (key === undefined) return option.fallback;
  const texts = textsOf(key, name, sources);
  if (option.kind !== "list" && Array.isArray(key)) {
    throw usageError(`use ${name} in ${sources.configPath}`, "give one value, not a list");
  }
  return read(option, texts, `${name} in ${sources.configPath}`);
}

function read(option: Option<unknown>, written: readonly unknown[], origin: string): unknown {
  try {
    if (option.kind === "list") return written.flatMap((one) => option.read(String(one)));
    return option.read(String(written.at(-1)));
  } catch (thrown) {
    throw valueError(origin, thrown);
  }
}

/** The texts of a YAML value: a scalar or a list of scalars. */
function textsOf(value: unknown, name: string, { configPath }: Sources): readonly string[] {
  const texts = [value].flat().map((one) =>
    typeof one === "string" || typeof one === "number" || typeof one === "boolean"
      ? String(one)
      : undefined
  );
  const sound = texts.filter((one) => one !== undefined);
  if (sound.length === 0 || sound.length < texts.length) {
    throw usageError(
      `use ${name} in ${configPath}`,
      "give a plain value or a list of plain values",
    );
  }
  return sound;
}

async function secretOf(
  command: string,
  name: string,
  option: Option<unknown>,
  sources: Sources,
): Promise<unknown> {
  const variable = envOf(command, name);
  const value = sources.env[variable];
  const flagFile = sources.flags[`${name}-file`];
  if (flagFile === undefined && value !== undefined) return read(option, [value], variable);
  const [file, origin] = secretFile(variable, name, sources);
  if (file !== undefined) {
    const load = async (): Promise<Secret> => {
      const secret = read(option, [await sources.readFile(file)], origin) as Secret;
      return secret.renewedBy(load);
    };
    return await load();
  }
  const credential = await sources.credential?.(name);
  return credential === undefined
    ? option.fallback
    : read(option, [credential], `credential ${name}`);
}

/** The path of the file that holds a secret, and where that path was given. */
function secretFile(
  variable: string,
  name: string,
  sources: Sources,
): readonly [file: string | undefined, origin: string] {
  const key = `${name}-file`;
  const flag = sources.flags[key];
  if (flag !== undefined) return [String(flag), `--${key}`];
  const written = sources.env[`${variable}_FILE`];
  if (written !== undefined) return [written, `${variable}_FILE`];
  const configured = sources.config[key];
  if (configured === undefined) return [undefined, ""];
  return [textsOf(configured, key, sources)[0], `${key} in ${sources.configPath}`];
}

function refuseUnknownKeys(specs: OptionSpecs, { config, configPath }: Sources): void {
  const known = Object.entries(specs).map(([name, option]) => flagOf(name, option).slice(2));
  for (const key of Object.keys(config)) {
    if (known.includes(key)) continue;
    if (specs[key]?.kind === "secret") {
      throw usageError(
        `use ${key} in ${configPath}`,
        `a secret does not belong in a configuration file; give ${key}-file with the path of a file that holds it`,
      );
    }
    throw usageError(`use ${key} in ${configPath}`, `there is no such option${hint(key, known)}`);
  }
}

function refuseUnknownVariables(
  command: string,
  specs: OptionSpecs,
  { env, commands }: Sources,
): void {
  const known = Object.entries(specs).flatMap(([name, option]) => {
    const variable = envOf(command, name);
    return option.kind === "secret" ? [variable, `${variable}_FILE`] : [variable];
  });
  // The longest first: `archive verify` has variables that begin like those of `archive`.
  const prefixes = [command, ...commands].map((name) => envOf(name, ""))
    .sort((a, b) => b.length - a.length);
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith("SLUICE_") || known.includes(variable)) continue;
    const owner = prefixes.find((prefix) => variable.startsWith(prefix));
    // A variable of no command is ours when it looks like a slip, else somebody else's.
    const isOurs = owner === undefined
      ? nearest(variable, known) !== undefined
      : owner === envOf(command, "");
    if (isOurs) {
      throw usageError(`use ${variable}`, `there is no such option${hint(variable, known)}`);
    }
  }
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "; see --help" : `; did you mean ${near}?`;
}
