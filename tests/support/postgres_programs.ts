/** The programs of one PostgreSQL installation, and who may run its server. */
export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
  readonly psql: string;
  /** Whom to become; undefined: this process is not root and starts it as it is. */
  readonly account: Account | undefined;
}

/** A user of this machine. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds PostgreSQL on PATH or where Debian puts it.
 *
 * @param version the major version; without it what is on PATH, else the newest.
 */
export async function postgresPrograms(version?: number): Promise<PostgresPrograms> {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const debian = await Array.fromAsync(Deno.readDir("/usr/lib/postgresql")).catch(() => []);
  const versions = debian.map(({ name }) => Number(name)).sort((a, b) => b - a);
  const where = version === undefined
    ? [...folders, ...versions.map((one) => `/usr/lib/postgresql/${one}/bin`)]
    : [`/usr/lib/postgresql/${version}/bin`];
  const [postgres, initdb, psql] = [
    await find("postgres", where),
    await find("initdb", where),
    await find("psql", [...where, ...folders]),
  ];
  if (postgres === undefined || initdb === undefined || psql === undefined) {
    const what = version === undefined ? "PostgreSQL" : `PostgreSQL ${version}`;
    throw new Error(`Cannot find ${what}. On Debian: apt-get install postgresql postgresql-client`);
  }
  return { postgres, initdb, psql, account: await accountForServer() };
}

async function find(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
  }
  return undefined;
}

/** PostgreSQL refuses to run as root: Debian's own user for it then, else nobody. */
async function accountForServer(): Promise<Account | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = lines.find(([user]) => user === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("Cannot start PostgreSQL as root: there is neither a user postgres nor nobody");
}

/**
 * The words before a command that is to run as this user; it still dies with its parent, as the
 * kernel forgets about that when the user changes.
 */
export function userWords(account: Account | undefined): string[] {
  if (!account) return [];
  const { uid, gid } = account;
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--pdeathsig", "KILL"];
}

/**
 * Lets the account reach a folder of ours: the temporary folder of a test run is closed to others.
 * They may go through afterwards, not look around.
 */
export async function openTheWay(folder: string, account: Account | undefined): Promise<void> {
  if (!account) return;
  for (let at = folder; (at = at.slice(0, at.lastIndexOf("/"))) !== "";) {
    const { mode, uid } = await Deno.stat(at);
    if (mode === null || mode & 0o001) continue;
    if (uid !== Deno.uid()) {
      throw new Error(`Cannot let PostgreSQL into ${at}: it is somebody else's`);
    }
    await Deno.chmod(at, mode & 0o7777 | 0o111);
  }
}
