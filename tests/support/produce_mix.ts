import { Kafka, logLevel } from "kafkajs";

/** kafkajs as Kafka's transactions want it: the end of one is often not known at once to the next. */
function patientKafkajs(bootstrap: string): Kafka {
  return new Kafka({
    clientId: "sluice-tests",
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 12, initialRetryTime: 5, maxRetryTime: 2_000 },
  });
}

/** A compression that kcat's library knows. */
export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** Many numbered records for one topic, each another one. */
export interface BulkPlan {
  readonly bootstrap: string;
  readonly topic: string;
  readonly count: number;
  /** The first record's number. @default 0 */
  readonly from?: number;
  readonly codec?: Codec;
  /** Of a value. @default 120 */
  readonly bytes?: number;
  /** Keys, headers, empty and null values, too. */
  readonly whole?: boolean;
  /** Every record there, and not where kcat likes. */
  readonly partition?: number;
}

/** A value that tells its topic and number and that no other record has. */
export function numberedValue(topic: string, n: number, bytes = 120): string {
  const begin = `${topic} ${n} `;
  // Some of it compresses and some of it does not.
  let filler = "";
  for (let state = n + 1; filler.length < bytes - begin.length;) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0;
    filler += `${state.toString(36)} the quick brown fox `;
  }
  return begin + filler.slice(0, Math.max(0, bytes - begin.length));
}

/** Writes records by kcat, which spreads them over the partitions as it likes. */
export async function produceBulk(plan: BulkPlan): Promise<void> {
  const { bootstrap, topic, count, from = 0, codec = "none", bytes, whole = false } = plan;
  const child = new Deno.Command("kcat", {
    args: [
      ...["-P", "-b", bootstrap, "-t", topic, ...(codec === "none" ? [] : ["-z", codec])],
      ...["-X", "linger.ms=20", "-X", "acks=all"],
      ...(plan.partition === undefined ? [] : ["-p", String(plan.partition)]),
      // -Z: what is empty is null.
      ...(whole ? ["-K", "\t", "-Z", "-H", `from=${topic}`, "-H", `at=${from}`] : []),
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  try {
    for (let n = from; n < from + count;) {
      let text = "";
      for (const end = Math.min(n + 2_000, from + count); n < end; n++) {
        if (whole) text += `${n % 5 === 0 ? "" : `key-${n % 97}`}\t`;
        text += whole && n % 11 === 0 ? "\n" : `${numberedValue(topic, n, bytes)}\n`;
      }
      await writer.write(encoder.encode(text));
    }
    await writer.close();
  } catch {
    // kcat has ended: what it says tells more.
  }
  const { success } = await child.status;
  if (!success) throw new Error(`Cannot write to ${topic} with kcat: ${(await said).trim()}`);
  await said;
}

/** Transactions one after the other, by one producer. */
export interface TransactionPlan {
  readonly bootstrap: string;
  readonly topic: string;
  readonly transactions: number;
  /** Whether the transaction of this number is aborted. */
  readonly isAborted: (transaction: number) => boolean;
  /** Records in each request of a transaction. @default 10 */
  readonly records?: number;
  /** Requests in each transaction. @default 1 */
  readonly requests?: number;
  /** @default 120 */
  readonly bytes?: number;
  /** @default a new one */
  readonly producer?: string;
}

/** Writes transactions by kafkajs; gives how many records were committed and how many aborted. */
export async function produceTransactions(
  plan: TransactionPlan,
): Promise<{ readonly committed: number; readonly aborted: number }> {
  const { bootstrap, topic, records = 10, requests = 1, bytes } = plan;
  const name = plan.producer ?? `tx-${crypto.randomUUID()}`;
  const producer = patientKafkajs(bootstrap).producer({
    transactionalId: name,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const counts = { committed: 0, aborted: 0 };
  let n = 0;
  try {
    for (let i = 0; i < plan.transactions; i++) {
      const transaction = await producer.transaction();
      const isAborted = plan.isAborted(i);
      for (let request = 0; request < requests; request++) {
        const messages = Array.from({ length: records }, () => ({
          value: numberedValue(`${isAborted ? "aborted" : "committed"} by ${name}`, n++, bytes),
        }));
        await transaction.send({ topic, messages });
      }
      await (isAborted ? transaction.abort() : transaction.commit());
      counts[isAborted ? "aborted" : "committed"] += records * requests;
    }
  } finally {
    await producer.disconnect();
  }
  return counts;
}

/** A producer that goes on until it is stopped. */
export interface Load {
  /** Records sent so far, aborted ones among them. */
  readonly sent: number;
  /** Ends after the request under way; throws what went wrong. */
  stop(): Promise<void>;
}

/**
 * Writes all the time to all of the topics: plain requests and transactions, every third of those
 * aborted. Requests that Kafka does not answer, as it is away, are tried again later.
 *
 * @param options.perSecond records, about.
 */
export function startLoad(
  bootstrap: string,
  topics: readonly string[],
  options: { readonly perSecond: number; readonly bytes?: number },
): Load {
  const stopping = new AbortController();
  const load = { sent: 0 };
  const lanes = [
    keepSending(bootstrap, topics, load, {
      ...options,
      stop: stopping.signal,
      inTransactions: false,
    }),
    keepSending(bootstrap, topics, load, {
      ...options,
      stop: stopping.signal,
      inTransactions: true,
    }),
  ];
  const ended = Promise.all(lanes);
  ended.catch(() => {}); // told by stop()
  return {
    get sent() {
      return load.sent;
    },
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

interface LaneOptions {
  readonly perSecond: number;
  readonly bytes?: number;
  readonly stop: AbortSignal;
  readonly inTransactions: boolean;
}

async function keepSending(
  bootstrap: string,
  topics: readonly string[],
  load: { sent: number },
  { perSecond, bytes, stop, inTransactions }: LaneOptions,
): Promise<void> {
  const kafka = patientKafkajs(bootstrap);
  const name = `load-${crypto.randomUUID()}`;
  const connect = async () => {
    const producer = kafka.producer(
      inTransactions ? { transactionalId: name, idempotent: true, maxInFlightRequests: 1 } : {},
    );
    await producer.connect();
    return producer;
  };
  const everyMs = 20;
  const each = Math.max(1, Math.round(perSecond / 2 / (1_000 / everyMs)));
  let producer: Awaited<ReturnType<typeof connect>> | undefined;
  for (let round = 0; !stop.aborted; round++) {
    const begun = performance.now();
    const topic = topics[round % topics.length] ?? "";
    const messages = Array.from({ length: each }, (_, i) => ({
      value: numberedValue(name, round * each + i, bytes),
    }));
    try {
      producer ??= await connect();
      if (inTransactions) {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages });
        await (round % 3 === 0 ? transaction.abort() : transaction.commit());
      } else {
        await producer.send({ topic, messages });
      }
      load.sent += messages.length;
    } catch {
      // Kafka is away, or a transaction timed out meanwhile: a new producer fences the old one.
      await producer?.disconnect().catch(() => {});
      producer = undefined;
    }
    const restMs = everyMs - (performance.now() - begun);
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  await producer?.disconnect().catch(() => {});
  // The last transaction may be open still, or its end not be written everywhere: what stands behind it
  // would be seen later than what is compared with it. A producer of its name is let in when it is over.
  if (inTransactions) await (await connect()).disconnect();
}
