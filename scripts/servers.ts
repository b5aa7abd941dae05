// deno-lint-ignore-file no-console -- a script speaks to a person
/** `deno task servers NAME...`: starts real servers for use by hand, and stops them at Ctrl-C. */
import { parseArgs } from "node:util";
import { type ServerKind, serverKinds, type Wishes } from "./server_table.ts";
import { runSession, type Session } from "./session.ts";

const usage = `Usage: deno task servers NAME... [--port N] [--topic NAME]... [--bucket NAME]...

Starts real servers on 127.0.0.1 with empty data, prints their addresses, and runs until Ctrl-C.

${serverKinds.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join("\n")}

  --port N       the first server's port; a free one without it
  --topic NAME   a topic to make in each Kafka, with 3 partitions; may be repeated (default: syslog)
  --bucket NAME  a bucket to make in each S3; may be repeated (default: sluice)
  --help         print this and stop`;

interface Order {
  readonly kinds: readonly ServerKind[];
  readonly wishes: Wishes;
}

/** What the arguments ask for; a text is what is wrong with them. */
function orderOf(args: string[]): Order | string {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: { type: "string" },
        topic: { type: "string", multiple: true },
        bucket: { type: "string", multiple: true },
      },
    });
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  const { positionals: names, values: { port, topic = ["syslog"], bucket = ["sluice"] } } = parsed;
  if (names.length === 0) return "name at least one server";
  const kinds = names.map((name) => serverKinds.find((kind) => kind.name === name) ?? name);
  const unknown = kinds.find((kind) => typeof kind === "string");
  if (unknown !== undefined) return `there is no server ${unknown}`;
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) < 65_536)) {
    return `--port ${port} is no port`;
  }
  return {
    kinds: kinds as ServerKind[],
    wishes: {
      topics: topic,
      buckets: bucket,
      ...(port === undefined ? {} : { port: Number(port) }),
    },
  };
}

async function run({ kinds, wishes }: Order, session: Session): Promise<number> {
  await using running = new AsyncDisposableStack();
  const { port: _, ...withoutPort } = wishes;
  for (const [i, { name, start }] of kinds.entries()) {
    const server = running.use(await start(i === 0 ? wishes : withoutPort));
    console.log(name);
    for (const [what, where] of server.addresses) console.log(`  ${what.padEnd(14)} ${where}`);
    if (server.example) console.log(`  ${"try".padEnd(14)} ${server.example}`);
  }
  console.log("Running until Ctrl-C");
  await session.untilStopped();
  return 0;
}

if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log(usage);
  Deno.exit(0);
}
const order = orderOf([...Deno.args]);
if (typeof order === "string") {
  console.error(`servers: ${order}\n\n${usage}`);
  Deno.exit(2);
}
await runSession("servers", (session) => run(order, session));
