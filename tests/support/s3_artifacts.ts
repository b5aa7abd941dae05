import { goProgramPath } from "./go_program.ts";

/** The path of versitygw, a server that speaks S3 over a folder. */
export function versitygwPath(): Promise<string> {
  return goProgramPath({
    name: "versitygw",
    version: "1.8.0",
    source: "github.com/versity/versitygw/cmd/versitygw",
  });
}
