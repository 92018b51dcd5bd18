import { createHash } from "node:crypto";

/** SHA-256 of the counts as little-endian u32, in hexadecimal. Every platform that these runtimes run on is little-endian. */
export function sha256(counts: Uint32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(counts.buffer, counts.byteOffset, counts.byteLength))
    .digest("hex");
}
