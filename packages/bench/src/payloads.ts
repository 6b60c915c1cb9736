/** What is sent to and fro; one of each length and thread, so that making it is not measured. */
const kept = new Map<number, Uint8Array<ArrayBuffer>>();

export function bytesOfLength(length: number): Uint8Array<ArrayBuffer> {
  const found = kept.get(length);
  if (found !== undefined) return found;
  const bytes = new Uint8Array(length).fill(7);
  kept.set(length, bytes);
  return bytes;
}
