import type { Datagrams, Listener, TlsFiles } from "../clients/listen/listen.ts";
import { listenDatagrams, listenStream } from "../clients/listen/listen.ts";
import { type Cluster, Producer, type ProducerOptions } from "../clients/kafka/kafka.ts";
import { faultOf, reasonOf } from "../core/errors.ts";
import { Exit, type ExitCode } from "../core/exit.ts";
import { backoffMs, networkRetry } from "../core/retry.ts";
import type { World } from "../core/world.ts";
import type { ListenUrl } from "../formats/listen_url.ts";
import { jsonBytesMost } from "../formats/syslog_json.ts";
import { receiveDatagrams } from "./datagrams.ts";
import { Ledger } from "./ledger.ts";
import { Pipeline } from "./pipeline.ts";
import { ReadBuffers } from "./read_buffers.ts";
import { Reception } from "./reception.ts";
import { Refusals } from "./refusals.ts";
import type { ForwardSettings } from "./settings.ts";
import { unackedMost } from "./shipping.ts";

/** What the daemon is given by its command. */
export interface ForwardTools {
  readonly world: World;
  readonly cluster: Cluster;
  readonly codec: ProducerOptions["codec"];
  readonly tls?: TlsFiles;
  /** Takes the time of each batch from sending to acknowledgement, seconds. */
  readonly timeSend: (seconds: number) => void;
}

/** A batch holds this much unless one line may need more; larger ones gained nothing (measured). */
const batchBytesUsual = 512 * 1024;
/** Under the broker's default max.message.bytes (1,048,588) with room to spare. */
const batchBytesMost = 1_000_000;
/** How long a TLS handshake may take. */
const handshakeMs = 10_000;
/** How often a stop that waits for Kafka says so. */
const remindMs = 10_000;
const idleCheckMs = 1_000;

/** The parts of a running forward-syslog. */
export class ForwardDaemon {
  readonly ledger = new Ledger();
  readonly buffers: ReadBuffers;
  readonly pipeline: Pipeline;
  readonly reception: Reception;
  readonly #producer: Producer;
  readonly #refusals: Refusals;
  readonly #listeners: Listener[] = [];
  readonly #datagrams: Datagrams[] = [];
  /** Those who take datagrams, until their sockets are stopped. */
  readonly #receiving: Promise<void>[] = [];
  #kafkaTrouble: string | null = "it has not answered yet";
  #isStopping = false;

  constructor(private readonly settings: ForwardSettings, private readonly tools: ForwardTools) {
    const { world } = tools;
    const lineMost = jsonBytesMost(settings.lineBytesMost, 256) + 1024;
    const batchBytes = Math.min(batchBytesMost, Math.max(batchBytesUsual, lineMost));
    this.buffers = new ReadBuffers(Math.max(settings.memoryBytes / 4, 8 * 1024 * 1024));
    this.#producer = new Producer(tools.cluster, {
      world,
      codec: tools.codec,
      batchBytes,
      maxInFlight: unackedMost,
      onAck: (batch) => this.pipeline.shipping.acknowledged(batch),
      onState: (state) => this.#kafkaTrouble = state.ready ? null : state.reason,
      refused: (refusal) => this.#refusals.take(refusal),
      onSent: tools.timeSend,
    });
    this.pipeline = new Pipeline(settings, this.#outlet(), this.ledger, world, batchBytes);
    this.#refusals = new Refusals(settings, this.pipeline, world);
    this.reception = new Reception(settings, {
      pipeline: this.pipeline,
      buffers: this.buffers,
      log: world.log,
      lineBytesMost: settings.lineBytesMost,
      monotonicMs: world.monotonicMs,
    });
  }

  /** Why no lines are being taken; empty when all is well. */
  notReady(): string[] {
    if (this.#isStopping) return ["stopping"];
    return this.#troubles.map((trouble) => `Kafka: ${trouble}`);
  }

  get #troubles(): string[] {
    return [this.#kafkaTrouble, this.#refusals.trouble].filter((one) => one !== null);
  }

  /** Opens every listener. @throws {SluiceError} for the first that cannot be opened. */
  async listen(): Promise<void> {
    const { listen } = this.settings;
    const { tls, world } = this.tools;
    for (const url of listen) {
      if (url.transport === "udp") this.#datagrams.push(listenDatagrams(url));
      else this.#listeners.push(await listenStream(url, { handshakeMs, ...(tls ? { tls } : {}) }));
    }
    for (const { url } of [...this.#listeners, ...this.#datagrams]) {
      world.log("info", "Listening", { url: url.text });
    }
  }

  /** Closes the listeners without having taken a line. */
  close(): void {
    for (const one of [...this.#listeners, ...this.#datagrams]) one.stop();
  }

  /** Takes lines until `drain` is aborted, then finishes what was taken. */
  async run(drain: AbortSignal): Promise<ExitCode> {
    const drained = new Promise<void>((resolve) => {
      if (drain.aborted) resolve();
      drain.addEventListener("abort", () => resolve());
    });
    const { world } = this.tools;
    await Promise.race([drained, this.#topicsKnown()]);
    if (!drain.aborted) {
      world.log("info", "Forwarding", { topic: this.settings.topic.text });
      this.#serve();
    }
    const idleCheck = setInterval(() => this.reception.closeIdle(world.monotonicMs()), idleCheckMs);
    await drained;
    clearInterval(idleCheck);
    return await this.#stop();
  }

  /** Looks at the cluster anew: brokers, leaders, numbers of partitions. */
  async refresh(): Promise<void> {
    this.tools.cluster.refresh();
    await this.pipeline.topics.refresh();
    this.tools.world.log("info", "Kafka metadata refreshed");
  }

  /** Reads the certificates anew; a listener whose new ones are bad keeps the old. */
  async reload(): Promise<void> {
    const { log } = this.tools.world;
    for (const listener of this.#listeners) {
      if (listener.url.transport !== "tls") continue;
      await listener.reload().then(
        () => log("info", "Certificates reloaded", { url: listener.url.text }),
        (thrown) => log("error", reasonOf(thrown), { kept: "the certificates as they were" }),
      );
    }
  }

  /** Says what is given up when the process leaves now. */
  abandon(): void {
    const held = this.pipeline.heldRecords;
    if (held === 0) return;
    this.tools.world.log("error", "Stopped before Kafka had acknowledged everything", {
      lost: held,
      hint: "lines that came by RELP will be sent again by their senders",
    });
  }

  #outlet() {
    const producer = this.#producer;
    return {
      borrow: () => producer.borrow(),
      send: producer.send.bind(producer),
      partitionsOf: (topic: string) =>
        producer.partitionsOf(topic).catch((thrown) => {
          if (!this.#isStopping) throw thrown;
          // The stop was not to wait for a topic that never came: that is no trouble to tell of.
          return new Promise<number>(() => {});
        }),
    };
  }

  /**
   * Waits until the topics that are named in the options can be written to; when messages name them,
   * until Kafka answers.
   */
  async #topicsKnown(): Promise<void> {
    const { topics } = this.pipeline;
    topics.begin();
    for (const topic of topics.all) await topic.coming;
    if (this.settings.topic.fields.length > 0) await this.#kafkaAnswers();
    this.#kafkaTrouble = null;
  }

  async #kafkaAnswers(): Promise<void> {
    const { world, cluster } = this.tools;
    for (let attempt = 1; !this.#isStopping; attempt++) {
      try {
        return void await cluster.check([]);
      } catch (thrown) {
        const reason = reasonOf(thrown);
        const level = faultOf(thrown) === "transient" ? "warn" : "error";
        if (reason !== this.#kafkaTrouble) world.log(level, "Kafka does not answer", { reason });
        this.#kafkaTrouble = reason;
      }
      await world.sleep(backoffMs(networkRetry, attempt, world.random()));
    }
  }

  #serve(): void {
    const { world } = this.tools;
    const failed = (url: ListenUrl) => (thrown: unknown) =>
      world.log("error", "A listener failed", { url: url.text, reason: reasonOf(thrown) });
    for (const listener of this.#listeners) {
      this.reception.serve(listener, listener.url).catch(failed(listener.url));
    }
    this.#datagrams.forEach((socket, home) => {
      const received = receiveDatagrams(socket, socket.url, this.pipeline, {
        home,
        withHeaders: this.settings.headers,
        lineBytesMost: this.settings.lineBytesMost,
      });
      this.#receiving.push(received.catch(failed(socket.url)));
    });
  }

  async #stop(): Promise<ExitCode> {
    const { log } = this.tools.world;
    this.#isStopping = true;
    log("info", "Stopping: asking senders to leave", { connections: this.reception.sessions.size });
    for (const socket of this.#datagrams) socket.stop();
    const stopReminding = this.#remind();
    const { cut } = await this.reception.stop(this.settings.drainMs);
    if (cut > 0) {
      log("warn", "Senders did not leave in time; what they were still sending was not taken", {
        connections: cut,
        hint: "raise --drain-timeout",
      });
    }
    this.close();
    await Promise.all(this.#receiving);
    await this.pipeline.drained();
    stopReminding();
    await this.#producer.close();
    await this.tools.cluster.close();
    return this.#conclude();
  }

  /** Says again and again why the stop takes longer than senders were given. */
  #remind(): () => void {
    const { log, monotonicMs } = this.tools.world;
    const begunMs = monotonicMs();
    const reminder = setInterval(() => {
      if (monotonicMs() - begunMs < this.settings.drainMs) return;
      log("error", "Cannot stop yet: Kafka has not acknowledged everything", {
        records: this.pipeline.heldRecords,
        reason: this.#troubles.join("; ") || "batches are under way",
        hint: "a second signal gives them up",
      });
    }, remindMs);
    return () => clearInterval(reminder);
  }

  /** The books: what was received must be acknowledged or dead-lettered. */
  #conclude(): ExitCode {
    const { log } = this.tools.world;
    const held = this.pipeline.heldRecords;
    const missing = this.ledger.missing(held);
    log(missing === 0 ? "info" : "error", "Stopped", this.ledger.summary(held));
    if (missing === 0) return Exit.ok;
    log("error", "The counts do not agree: this is a defect", { missing });
    return Exit.failed;
  }
}
