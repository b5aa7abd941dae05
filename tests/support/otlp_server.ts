import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One metric of an export, as OTLP's JSON has it: a sum of a counter, or a gauge. */
export interface OtlpMetric {
  /** Of whom: `service.name`, and the name and version of the part of it that measures. */
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly description: string;
  readonly kind: "counter" | "gauge" | "other";
  readonly points: readonly OtlpPoint[];
}

export interface OtlpPoint {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Json {
  readonly resourceMetrics?: readonly {
    readonly resource: { readonly attributes: readonly JsonAttribute[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string; readonly version?: string };
      readonly metrics: readonly JsonMetric[];
    }[];
  }[];
}

interface JsonAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface JsonMetric {
  readonly name: string;
  readonly description?: string;
  readonly sum?: JsonSum;
  readonly gauge?: { readonly dataPoints: readonly JsonPoint[] };
}

interface JsonSum {
  readonly dataPoints: readonly JsonPoint[];
  readonly isMonotonic?: boolean;
  /** 2: since the start. */
  readonly aggregationTemporality: number;
}

interface JsonPoint {
  readonly attributes?: readonly JsonAttribute[];
  readonly asDouble?: number;
  readonly asInt?: string;
}

/** Takes metrics as a collector of OpenTelemetry does: OTLP by HTTP, of which it reads the JSON. */
export class OtlpServer implements AsyncDisposable {
  /** Each export of metrics, decoded, in the order of arrival. */
  readonly exports: OtlpMetric[][] = [];
  /** Paths that were asked for. */
  readonly paths = new Set<string>();

  private constructor(private readonly server: Server, readonly url: string) {}

  static async start(): Promise<OtlpServer> {
    const server = createServer((request, response) => {
      take(request).then(() => response.setHeader("content-type", "application/json").end("{}"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const otlp = new OtlpServer(server, `http://127.0.0.1:${port}`);
    const take = async (request: IncomingMessage) => {
      otlp.paths.add(request.url ?? "");
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part as Uint8Array);
      const text = await new Blob(parts as Uint8Array<ArrayBuffer>[]).text();
      if (request.url === "/v1/metrics") otlp.exports.push(metricsOf(JSON.parse(text) as Json));
    };
    return otlp;
  }

  /** What Deno is told by its environment to export here. */
  env(intervalMs: number): Record<string, string> {
    return {
      OTEL_DENO_METRICS: "true",
      OTEL_SERVICE_NAME: "sluice",
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs),
    };
  }

  /** The last export that had a metric of this name; nothing when there was none. */
  newestWith(name: string): readonly OtlpMetric[] {
    return this.exports.findLast((metrics) => metrics.some((one) => one.name === name)) ?? [];
  }

  /** The value of a metric without labels in the last export that had it. */
  newest(name: string): number | undefined {
    return this.newestWith(name).find((one) => one.name === name)?.points[0]?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function metricsOf({ resourceMetrics = [] }: Json): OtlpMetric[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({
        service: labelsOf(resource.attributes)["service.name"] ?? "",
        scope: `${scope.name} ${scope.version ?? ""}`.trim(),
        name: metric.name,
        description: metric.description ?? "",
        ...valuesOf(metric),
      }))
    )
  );
}

function valuesOf({ name, sum, gauge }: JsonMetric): Pick<OtlpMetric, "kind" | "points"> {
  const points = (sum ?? gauge)?.dataPoints ?? [];
  if (sum !== undefined && sum.aggregationTemporality !== 2) {
    throw new Error(`${name} does not count from the start`);
  }
  return {
    kind: gauge ? "gauge" : sum?.isMonotonic ? "counter" : "other",
    points: points.map(({ attributes = [], asDouble, asInt }) => ({
      labels: labelsOf(attributes),
      value: asDouble ?? Number(asInt),
    })),
  };
}

function labelsOf(attributes: readonly JsonAttribute[]): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? ""]));
}
