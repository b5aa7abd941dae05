import type { CertificateSet } from "./certificates.ts";
import { freePort, waitForPort } from "./ports.ts";
import { makeServerFolder, type ServerProcess, startProcess } from "./processes.ts";

/** How a real rsyslog hands on what it is given. */
export interface RsyslogPlan {
  readonly protocol: "tcp" | "tls" | "relp" | "relp+tls";
  readonly port: number;
  /** For tls and relp+tls: whom it trusts, and what it shows when asked. */
  readonly certificates?: CertificateSet;
}

/** A real rsyslogd: lines sent to its port go on to a server, by a queue that gives nothing up. */
export class Rsyslog implements AsyncDisposable {
  private constructor(
    private readonly process: ServerProcess,
    private readonly folder: string,
    /** Where it takes lines, by TCP. */
    readonly port: number,
  ) {}

  /** Starts a sender that takes lines on TCP port `port`, a free one by default. */
  static async start(plan: RsyslogPlan, port = freePort()): Promise<Rsyslog> {
    return await Rsyslog.run(port, (folder) => senderConfig(port, plan, folder));
  }

  /** Starts rsyslogd with any configuration that listens on TCP port `port`. */
  static async run(port: number, config: (folder: string) => string): Promise<Rsyslog> {
    const folder = await makeServerFolder("rsyslog");
    await Deno.writeTextFile(`${folder}/rsyslog.conf`, config(folder));
    const process = await startProcess({
      name: "rsyslog",
      command: "rsyslogd",
      args: ["-n", "-f", `${folder}/rsyslog.conf`, "-i", `${folder}/rsyslog.pid`],
      folder,
    });
    const rsyslog = new Rsyslog(process, folder, port);
    try {
      await waitForPort(port);
    } catch (thrown) {
      const tail = await process.tail();
      await rsyslog[Symbol.asyncDispose]();
      throw new Error(`rsyslogd does not listen:\n${tail}`, { cause: thrown });
    }
    return rsyslog;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Gives it lines over one connection; resolves when it has read them all. */
  async inject(lines: Iterable<string>): Promise<void> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    const encoder = new TextEncoder();
    try {
      for (let rest = [...lines]; rest.length > 0; rest = rest.slice(1000)) {
        const bytes = encoder.encode(rest.slice(0, 1000).map((line) => `${line}\n`).join(""));
        for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      }
      await conn.closeWrite();
      await conn.read(new Uint8Array(1));
    } finally {
      conn.close();
    }
  }

  /** Ends it; within the grace it may save its queues. */
  async stop(graceMs: number): Promise<void> {
    await this.process.stop(graceMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(3_000);
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }
}

function senderConfig(port: number, plan: RsyslogPlan, folder: string): string {
  return `
global(workDirectory="${folder}" maxMessageSize="64k" ${trust(plan)})
main_queue(queue.type="LinkedList" queue.size="1000000" queue.dequeueBatchSize="1024"
  queue.timeoutEnqueue="60000")
module(load="imtcp" maxSessions="100")
${plan.protocol.startsWith("relp") ? 'module(load="omrelp")' : ""}
template(name="asItCame" type="string" string="%rawmsg%${
    plan.protocol.startsWith("relp") ? "" : "\\n"
  }")
ruleset(name="onwards" queue.type="LinkedList" queue.size="1000000" queue.dequeueBatchSize="1024"
  queue.timeoutEnqueue="60000") {
  ${action(plan)}
}
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="onwards")
`;
}

function trust({ protocol, certificates }: RsyslogPlan): string {
  if (protocol !== "tls" || certificates === undefined) return "";
  const { ca, clientCert, clientKey } = certificates;
  return `defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${ca}"
  defaultNetstreamDriverCertFile="${clientCert}" defaultNetstreamDriverKeyFile="${clientKey}"`;
}

const forEver = 'action.resumeRetryCount="-1" action.resumeInterval="1" template="asItCame"';

function action({ protocol, port, certificates }: RsyslogPlan): string {
  const to = `target="127.0.0.1" port="${port}" ${forEver}`;
  switch (protocol) {
    case "tcp":
      return `action(type="omfwd" protocol="tcp" ${to})`;
    case "tls":
      return `action(type="omfwd" protocol="tcp" streamDriver="gtls" streamDriverMode="1"
    streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost" ${to})`;
    case "relp":
      return `action(type="omrelp" windowSize="2000" ${to})`;
    case "relp+tls": {
      const { ca, clientCert, clientKey } = certificates as CertificateSet;
      return `action(type="omrelp" windowSize="2000" tls="on" tls.caCert="${ca}"
    tls.myCert="${clientCert}" tls.myPrivKey="${clientKey}" tls.authMode="name"
    tls.permittedPeer=["localhost"] ${to})`;
    }
  }
}
