/** Puts together what a thread works with. */

import type { SharedMemory } from "../../memory/shared-memory.ts";
import { Slab } from "../../memory/slab.ts";
import { type BytesPort, copyOfBytes } from "../../values/bytes.ts";
import { ValueCodec } from "../../values/codec.ts";
import { standardErrorClasses } from "../../values/error-classes.ts";
import { ReferenceTable } from "../../values/references.ts";
import { type BufferMail, NO_MAIL } from "../../values/shared-buffers.ts";
import type { TextPort } from "../../values/text.ts";
import { holdingsIn, holdingsOfSurvivor } from "./holdings.ts";
import type { ThreadParts } from "./thread.ts";
import { threadCache } from "./thread-pools.ts";

/** What differs from thread to thread. */
export interface ThreadSetup {
  readonly memory: SharedMemory;
  /** 0 for the host, else the machine's number. */
  readonly number: number;
  readonly text: TextPort;
  /** Makes the buffers of values that are received; default: a copy and nothing else. */
  readonly copyBytes?: BytesPort;
  /** How SharedArrayBuffers get to other threads and come from there; default: they do not. */
  readonly mail?: BufferMail;
  /** The runtime's clock; default `performance.now`, which will do when all is on one thread. */
  readonly clock?: () => number;
  /** For what its objects hold, from `reserveHoldings`; default: they are written down nowhere, for a thread that cannot die. */
  readonly holdings?: SharedArrayBuffer;
}

/** The parts of a new thread. The kinds of references are registered when it exists. */
export function threadParts({
  memory,
  number,
  text,
  copyBytes = copyOfBytes,
  mail = NO_MAIL,
  clock = () => performance.now(),
  holdings,
}: ThreadSetup): ThreadParts {
  const held = holdings === undefined ? holdingsOfSurvivor(memory) : holdingsIn(memory, holdings);
  const slab = new Slab(memory, number, threadCache(memory, number));
  const references = new ReferenceTable();
  const errors = standardErrorClasses();
  const codec = new ValueCodec({ memory, slab, references, text, copyBytes, errors });
  return { memory, number, slab, codec, references, mail, clock, holdings: held };
}
