/** A syslog line and what has to arrive of it. */
export interface SampleLine {
  /** As it goes over the wire, without the line feed. */
  readonly text: string;
  /** The parts of the JSON object that must come of it. */
  readonly expected: SampleParts;
}

/** Parts of a message, as the JSON object has them. */
export interface SampleParts {
  readonly hostname: string;
  readonly tag: string;
  readonly pid?: string;
  readonly content: string;
  readonly priority: number;
}

interface Program {
  readonly hostname: string;
  readonly tag: string;
  readonly pid?: string;
  readonly priority: number;
  readonly says: (n: number) => string;
  /** Structured data; programs that have it (or `modern`) speak RFC 5424. */
  readonly data?: (n: number) => string;
  readonly modern?: boolean;
}

/** What the machines of a small company say. */
const programs: readonly Program[] = [
  {
    hostname: "web-1",
    tag: "nginx",
    priority: 190,
    says: (n) => `203.0.113.${n % 250} "GET /basket/${n} HTTP/1.1" 200 ${512 + n % 900}`,
  },
  {
    hostname: "app-1.example.com",
    tag: "checkout",
    pid: "77",
    priority: 165,
    says: (n) => `Zahlung über ${n} € angenommen`,
    data: (n) => `[order@32473 number="${n}" currency="EUR"][trace id="${n.toString(16)}"]`,
  },
  {
    hostname: "db-1",
    tag: "sshd",
    pid: "4121",
    priority: 86,
    says: (n) => `Accepted publickey for deploy from 198.51.100.7 port ${40_000 + n}`,
  },
  {
    hostname: "mail-1",
    tag: "postfix/smtpd",
    pid: "911",
    priority: 22,
    says: (n) => `connect from unknown[192.0.2.${n % 250}]`,
  },
  {
    hostname: "app-2.example.com",
    tag: "billing",
    priority: 134,
    says: (n) => `invoice "${n}" written to C:\\spool`,
    modern: true,
  },
];

/**
 * Line `n` of a sender: RFC 3164 and RFC 5424 in turn, each line unlike all others.
 *
 * @param nowMs the time in its stamp.
 */
export function sampleLine(n: number, sender: string, nowMs: number): SampleLine {
  const program = programs[n % programs.length] as Program;
  const { hostname, tag, pid, priority } = program;
  const content = `${program.says(n)} (line ${String(n).padStart(6, "0")} of ${sender})`;
  const isModern = program.modern || program.data !== undefined;
  const text = isModern
    ? `<${priority}>1 ${new Date(nowMs).toISOString()} ${hostname} ${tag} ${pid ?? "-"} ` +
      `ID${n % 9} ${program.data?.(n) ?? "-"} ${content}`
    : `<${priority}>${bsdStamp(nowMs)} ${hostname} ${tag}${pid ? `[${pid}]` : ""}: ${content}`;
  return { text, expected: { hostname, tag, ...(pid ? { pid } : {}), content, priority } };
}

/** The parts as one text, to be compared with what has arrived. */
export function partsText({ hostname, tag, pid, content, priority }: SampleParts): string {
  return JSON.stringify([priority, hostname, tag, pid ?? null, content]);
}

/** `Nov  3 20:30:00`: RFC 3164 knows neither year nor zone; UTC is what forward-syslog expects. */
function bsdStamp(ms: number): string {
  const [, day = "", month = "", , time = ""] = new Date(ms).toUTCString().split(" ");
  return `${month} ${String(Number(day)).padStart(2)} ${time}`;
}
