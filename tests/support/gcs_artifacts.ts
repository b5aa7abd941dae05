import { goProgramPath } from "./go_program.ts";

/** The path of fake-gcs-server, which speaks Cloud Storage's API over a folder. */
export function gcsServerPath(): Promise<string> {
  return goProgramPath({
    name: "fake-gcs-server",
    version: "1.56.1",
    source: "github.com/fsouza/fake-gcs-server",
  });
}
