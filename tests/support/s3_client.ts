import { S3Client } from "@aws-sdk/client-s3";
import type { S3Server } from "./s3_server.ts";

/** A client of a server, as somebody has it who is not sluice; who asks for it destroys it. */
export function s3ClientOf({ endpoint, region, accessKey, secretKey }: S3Server): S3Client {
  return new S3Client({
    ...{ endpoint, region, forcePathStyle: true },
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
}
