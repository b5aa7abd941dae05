import {
  Connection,
  type ConnectionOptions,
  initProducerIdV4,
  metadataV9,
  produceV9,
  type Reader,
  Writer,
} from "@platformatic/kafka";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { freeBytes } from "../../core/bytes.ts";
import { SluiceError } from "../../core/errors.ts";
import { kafkaError } from "./failures.ts";

/** How the broker answered a batch. */
export interface ProduceReply {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Records that it refused, by their index in the batch (KIP-467). */
  readonly refusedRecords: readonly number[];
}

/** A topic as the cluster describes it. */
export interface TopicMetadata {
  readonly name: string;
  readonly errorCode: number;
  /** Leader of each partition by its number; -1 where there is none. */
  readonly leaders: readonly number[];
}

/** What a broker says about the cluster. */
export interface ClusterMetadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
  }[];
  readonly topics: readonly TopicMetadata[];
}

/** A request of the protocol in one of its versions, as the library exports it: `heartbeatV4`. */
export interface Protocol<Args extends unknown[], Reply> {
  readonly api: { readonly key: number; readonly version: number };
  readonly createRequest: (...args: Args) => Writer;
  readonly parseResponse: (id: number, key: number, version: number, reader: Reader) => Reply;
}

/** Enough for every partition of a broker to have its batches under way at once. */
const requestsMost = 1024;
const acksAll = -1;

/**
 * One connection to one broker, opened when it is needed and again after it broke. Requests are sent
 * in the order of the calls and answered in that order.
 */
export class Link {
  #connection: Connection | null = null;
  #opening: Promise<void> | null = null;
  /** What broke the connection; requests are only told that it is closed. */
  #broken: unknown = null;

  constructor(
    readonly host: string,
    readonly port: number,
    private readonly clientId: string,
    private readonly options: ConnectionOptions & { readonly requestTimeout: number },
  ) {}

  get isOpen(): boolean {
    return this.#connection?.isConnected() ?? false;
  }

  /** Connects and logs in, once for all who ask. @throws {SluiceError} `transient` or `denied`. */
  open(): Promise<void> {
    if (this.isOpen) return Promise.resolve();
    this.#opening ??= this.#connect().finally(() => this.#opening = null);
    return this.#opening;
  }

  /** Sends a sealed batch; `done` is called once with the reply, or with why there is none. */
  produce(
    topic: string,
    partition: number,
    sealed: Uint8Array<ArrayBuffer>,
    done: (failure: unknown, reply: ProduceReply | null) => void,
  ): void {
    const connection = this.#connection;
    if (connection === null) return done(new Error("not connected"), null);
    const { requestTimeout } = this.options;
    connection.send(
      produceV9.api.key,
      produceV9.api.version,
      () => produceBody(topic, partition, sealed, requestTimeout),
      forgiving(produceV9.parseResponse),
      true,
      true,
      (failure: unknown, response?: ProduceResponse) => {
        if (failure || response === undefined) return done(this.#reasonOf(failure), null);
        done(null, replyOf(response));
      },
    );
  }

  /** Asks for brokers and topics. A topic that is missing is made if the cluster does that. */
  async metadata(topics: readonly string[], mayCreate: boolean): Promise<ClusterMetadata> {
    const response = await this.ask<MetadataResponse>(
      metadataV9.api,
      () => metadataV9.createRequest([...topics], mayCreate),
      forgiving(metadataV9.parseResponse),
    );
    return {
      brokers: response.brokers,
      topics: response.topics.map(({ name, errorCode, partitions }) => {
        const leaders: number[] = [];
        for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
        return { name: name ?? "", errorCode, leaders };
      }),
    };
  }

  /** Asks for a producer id of its own (KIP-98). */
  async producerId(): Promise<{ producerId: bigint; producerEpoch: number }> {
    const { producerId, producerEpoch } = await this.ask<InitProducerIdResponse>(
      initProducerIdV4.api,
      () => initProducerIdV4.createRequest(null, 0),
      initProducerIdV4.parseResponse,
    );
    return { producerId, producerEpoch };
  }

  /**
   * Sends any other request and waits for its answer, connecting first if need be.
   *
   * @param isFlexible whether this version's headers have tagged fields (KIP-482).
   * @throws {SluiceError} `transient` or `denied`, as the library or the parser failed.
   */
  async ask<T>(
    { key, version }: { readonly key: number; readonly version: number },
    body: () => Writer,
    // deno-lint-ignore no-explicit-any
    parse: any,
    isFlexible = true,
  ): Promise<T> {
    await this.open();
    return new Promise((resolve, reject) => {
      const connection = this.#connection;
      if (connection === null) return reject(this.#failed(new Error("not connected")));
      const done = (failure: unknown, response?: T) => {
        if (failure || response === undefined) reject(this.#failed(failure));
        else resolve(response);
      };
      connection.send(key, version, body, parse, isFlexible, isFlexible, done);
    });
  }

  /**
   * Sends a request of the library's and gives the reply as it is: error codes in it are the caller's
   * to read. @throws {SluiceError} when there is no reply.
   */
  request<Args extends unknown[], Reply>(
    { api, createRequest, parseResponse }: Protocol<Args, Reply>,
    ...args: Args
  ): Promise<Reply> {
    return this.ask<Reply>(api, () => createRequest(...args), forgiving(parseResponse));
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close().catch(() => {});
  }

  async #connect(): Promise<void> {
    const connection = new Connection(this.clientId, {
      ...this.options,
      maxInflights: requestsMost,
    });
    // Every failure also comes back to whoever is waiting; without a listener it would be thrown.
    this.#broken = null;
    connection.on("error", (thrown: unknown) => this.#broken = thrown);
    try {
      await connection.connect(this.host, this.port);
    } catch (thrown) {
      connection.close().catch(() => {});
      throw kafkaError(`connect to Kafka at ${this.host}:${this.port}`, thrown);
    }
    freeWhatIsSent(connection.socket);
    this.#connection = connection;
  }

  /** The failure of a request with what broke the connection before, if anything did. */
  #reasonOf(failure: unknown): unknown {
    return this.#broken === null ? failure : new AggregateError([failure, this.#broken]);
  }

  #failed(failure: unknown): SluiceError {
    // What our own parser says of an answer is no failure of the connection.
    if (failure instanceof SluiceError) return failure;
    return kafkaError(`ask Kafka at ${this.host}:${this.port}`, this.#reasonOf(failure));
  }
}

type ProduceResponse = ReturnType<typeof produceV9.parseResponse>;
type MetadataResponse = ReturnType<typeof metadataV9.parseResponse>;
type InitProducerIdResponse = ReturnType<typeof initProducerIdV4.parseResponse>;

/** A produce request, version 9 (Kafka 2.8 and newer), with one batch. */
function produceBody(
  topic: string,
  partition: number,
  sealed: Uint8Array<ArrayBuffer>,
  timeoutMs: number,
): Writer {
  return Writer.create()
    .appendString(null)
    .appendInt16(acksAll)
    .appendInt32(timeoutMs)
    .appendArray([topic], (topicWriter, name) => {
      topicWriter.appendString(name).appendArray([partition], (partitionWriter, index) => {
        partitionWriter.appendInt32(index)
          .appendUnsignedVarInt(sealed.length + 1)
          .append(Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length));
      });
    })
    .appendTaggedFields();
}

function replyOf(response: ProduceResponse): ProduceReply {
  const partition = response.responses[0]?.partitionResponses[0];
  if (partition === undefined) return { errorCode: -1, errorMessage: null, refusedRecords: [] };
  return {
    errorCode: partition.errorCode,
    errorMessage: partition.errorMessage ?? null,
    refusedRecords: partition.recordErrors.map(({ batchIndex }) => batchIndex),
  };
}

/**
 * The library copies each request into one buffer, half a megabyte for a full batch, and lets go of
 * it. Some 150 of them gathered until the garbage collector looked, which knows nothing of their size:
 * 60 MB (measured). The bytes are the kernel's once they are written, so the memory is given back then.
 */
function freeWhatIsSent(socket: Socket): void {
  const write = socket.write.bind(socket) as (...of: unknown[]) => boolean;
  socket.write = (...of: unknown[]) => {
    const [bytes] = of;
    if (of.length > 1 || !(bytes instanceof Uint8Array)) return write(...of);
    return write(bytes, (failure?: Error | null) => {
      if (!failure) freeBytes(bytes);
    });
  };
}

/** The library's parsers throw when a response holds an error code; we want to read the codes. */
// deno-lint-ignore no-explicit-any
export function forgiving(parse: (...args: any[]) => unknown): any {
  return (...args: unknown[]) => {
    try {
      return parse(...args);
    } catch (thrown) {
      const { response } = thrown as { response?: unknown };
      if (response !== undefined) return response;
      throw thrown;
    }
  };
}
