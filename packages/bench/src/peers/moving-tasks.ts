/** What a thread of Piscina does with bytes that were moved to it: it moves them back. */
import { move } from "piscina";

export default function moveBack(bytes: Uint8Array<ArrayBuffer>): unknown {
  return move(bytes);
}
