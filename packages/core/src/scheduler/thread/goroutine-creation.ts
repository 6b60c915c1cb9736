/** Goroutines as records: how a thread makes one, stores what it ended with, and gives its descriptor back. */

import { GoroutineLimitError } from "../../base/errors.ts";
import {
  COUNT_MASK,
  COUNT_SHIFT,
  DETACHED,
  EXPLICIT_CONTEXT,
  FAILED,
  INLINE_ARGS,
  PACKED,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../../goroutine/descriptor.ts";
import { type Body, referenceOf } from "../../goroutine/functions.ts";
import { nextGoroutineId } from "../../goroutine/identity.ts";
import { transitionToHeld, transitionToIdle, transitionToRunnableFirst } from "../../goroutine/status.ts";
import {
  CACHE_SPAWNED,
  G_ARGS,
  G_CANCELED,
  G_CONTEXT,
  G_FRAME,
  G_FUNCTION,
  G_ID,
  G_JOIN,
  G_MACHINE,
  G_META,
  G_NAME,
  G_NAME_TAG,
  G_ON_END,
  G_PARENT,
  G_PARENT_FUNCTION,
  G_REFS,
  G_SELECT,
  G_STARTER,
  G_WORDS,
} from "../../memory/layout.ts";
import { TAG_NUMBER, TAG_UNDEFINED } from "../../values/tags.ts";
import { strippedError } from "../frames/stripped-error.ts";
import { cancellation } from "./cancellation.ts";
import { GoroutineHandle } from "./handle.ts";
import { Thread } from "./thread.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const WORDS = G_WORDS;
const ARGS = G_ARGS;
const META = G_META;
const JOIN = G_JOIN;
const REFS = G_REFS;
const STARTER = G_STARTER;
const MACHINE = G_MACHINE;
const FRAME = G_FRAME;
const CANCELED = G_CANCELED;
const ON_END = G_ON_END;
const PARENT_FUNCTION = G_PARENT_FUNCTION;
const NAME_TAG = G_NAME_TAG;
const SELECT = G_SELECT;
const CONTEXT = G_CONTEXT;
const FUNCTION = G_FUNCTION;
const ID = G_ID / 2;
const PARENT = G_PARENT / 2;
const SPAWNED = CACHE_SPAWNED / 2;
const NUMBER = TAG_NUMBER;
const BITS = TAG_BITS;
const COUNT = COUNT_SHIFT;
const INLINE = INLINE_ARGS;

const ARGUMENT_NAMES = ["args[0]", "args[1]", "args[2]", "args[3]"];

export abstract class CreatingThread extends Thread {
  // ── starting ──

  spawn(body: Body, args: readonly unknown[]): GoroutineHandle<unknown> {
    const goroutine = this.launch(this.functionId(body), args, 0);
    // The handle first: once queued, the goroutine may end before the next line.
    const handle = new GoroutineHandle<unknown>(this, goroutine);
    this.enqueueNew(goroutine);
    return handle;
  }

  spawnDetailed(
    name: string | undefined,
    context: number | undefined,
    body: Body,
    args: readonly unknown[],
    prepare?: (goroutine: number) => void,
  ): GoroutineHandle<unknown> {
    const goroutine = this.launch(this.functionId(body), args, 0);
    const base = this.descriptors + goroutine * WORDS;
    if (name !== undefined) this.putName(goroutine, base, name);
    if (context !== undefined) this.changeContext(base, context);
    prepare?.(goroutine);
    const handle = new GoroutineHandle<unknown>(this, goroutine);
    this.enqueueNew(goroutine);
    return handle;
  }

  go(body: Body, args: readonly unknown[]): void {
    this.enqueueNew(this.launch(this.functionId(body), args, DETACHED));
  }

  goWithEnd(body: Body, args: readonly unknown[], object: number): void {
    const goroutine = this.launch(this.functionId(body), args, DETACHED);
    this.i32[this.descriptors + goroutine * WORDS + ON_END] = object;
    this.enqueueNew(goroutine);
  }

  functionId(body: Body): number {
    const reference = referenceOf(body);
    if (reference.user === this) return reference.id;
    reference.id = this.functions.intern(reference.url, reference.name);
    reference.user = this;
    return reference.id;
  }

  launch(functionId: number, args: readonly unknown[], flags: number): number {
    const { i32, f64 } = this;
    let goroutine = this.goroutines.take();
    if (goroutine === 0) goroutine = this.takeWhenFull();
    const base = this.descriptors + goroutine * WORDS;
    const count = args.length;
    let meta = flags | (count << COUNT);
    if (count <= INLINE) {
      for (let i = 0; i < count; i++) {
        const value = args[i];
        if (typeof value === "number") {
          f64[((base + ARGS) >> 1) + i] = value;
          meta |= NUMBER << (i * BITS);
        } else {
          meta |= this.putArgument(goroutine, base, meta, i, value, ARGUMENT_NAMES[i]) << (i * BITS);
        }
      }
    } else {
      meta = flags | (PACKED << COUNT) | this.putArgument(goroutine, base, 0, 0, args, "args");
    }
    // First: see LostGoroutines.find.
    i32[base + MACHINE] = 0;
    i32[base + META] = meta;
    i32[base + FUNCTION] = functionId;
    i32[base + JOIN] = 0;
    i32[base + REFS] = 1;
    i32[base + STARTER] = this.number;
    i32[base + FRAME] = 0;
    i32[base + CANCELED] = 0;
    i32[base + ON_END] = 0;
    i32[base + NAME_TAG] = 0;
    i32[base + SELECT] = 0;
    f64[(base >> 1) + ID] = nextGoroutineId(i32, f64, this.cache);
    this.noteParent(base, this.currentBase());
    transitionToRunnableFirst(i32, base);
    f64[(this.cache >> 1) + SPAWNED]++;
    return goroutine;
  }

  /** Writes down who started the goroutine whose descriptor is at `base` (that one's is at `parent`; 0 for the host), and the context that it inherits. */
  private noteParent(base: number, parent: number): void {
    const { i32, f64 } = this;
    let context = 0;
    if (parent === 0) {
      f64[(base >> 1) + PARENT] = 0;
      i32[base + PARENT_FUNCTION] = 0;
    } else {
      f64[(base >> 1) + PARENT] = f64[(parent >> 1) + ID];
      i32[base + PARENT_FUNCTION] = i32[parent + FUNCTION];
      // One that is cancelled hands on what cancelled it.
      context = i32[parent + CANCELED] === 0 ? i32[parent + CONTEXT] : this.currentContext();
    }
    i32[base + CONTEXT] = context;
    if (context !== 0) cancellation.retain(this, context);
  }

  /** Encodes an argument that is not a number. If it cannot be, the descriptor and the arguments before it are given back. */
  private putArgument(
    goroutine: number,
    base: number,
    meta: number,
    index: number,
    value: unknown,
    where: string,
  ): number {
    try {
      return this.codec.put(base + ARGS + index * SLOT_WORDS, value, where);
    } catch (error) {
      this.dropSlots(base, meta, index);
      this.goroutines.give(goroutine);
      throw error;
    }
  }

  /** Encodes a name. If there is no room, the goroutine that was just launched is given back. */
  private putName(goroutine: number, base: number, name: string): void {
    try {
      this.i32[base + NAME_TAG] = this.codec.put(base + G_NAME, name, "options.name");
    } catch (error) {
      this.takeBack(goroutine, base);
      throw error;
    }
  }

  /** Undoes a launch. */
  private takeBack(goroutine: number, base: number): void {
    const { i32, f64 } = this;
    const meta = i32[base + META];
    const count = (meta >>> COUNT) & COUNT_MASK;
    this.dropSlots(base, meta, count === PACKED ? 1 : count);
    if (i32[base + CONTEXT] !== 0) cancellation.release(this, i32[base + CONTEXT]);
    f64[(this.cache >> 1) + SPAWNED]--;
    transitionToHeld(i32, base);
    this.goroutines.give(goroutine);
  }

  dropSlots(base: number, meta: number, count: number): void {
    for (let i = 0; i < count; i++)
      this.codec.drop(base + ARGS + i * SLOT_WORDS, (meta >>> (i * BITS)) & TAG_MASK);
  }

  protected takeWhenFull(): number {
    this.openHandles.collect();
    const goroutine = this.goroutines.take();
    if (goroutine !== 0) return goroutine;
    const { maxGoroutines } = this.memory.shape;
    throw new GoroutineLimitError(
      `the goroutine table is full: maxGoroutines is ${maxGoroutines} and that many are in use`,
    );
  }

  launchMember(body: Body, args: readonly unknown[], object: number, context: number): number {
    const goroutine = this.launch(this.functionId(body), args, DETACHED);
    const base = this.descriptors + goroutine * WORDS;
    this.i32[base + ON_END] = object;
    this.changeContext(base, context);
    return goroutine;
  }

  /** Makes a context that was just created, and whose reference the caller keeps, the goroutine's own. */
  useContext(base: number, context: number): void {
    const explicit = this.i32[base + META] & EXPLICIT_CONTEXT;
    this.changeContext(base, context);
    if (explicit === 0) this.i32[base + META] &= ~EXPLICIT_CONTEXT;
  }

  /** Gives a goroutine of this thread another context; its number, 0 for the background. */
  changeContext(base: number, context: number): void {
    const before = this.i32[base + CONTEXT];
    if (context !== 0) cancellation.retain(this, context);
    Atomics.store(this.i32, base + CONTEXT, context);
    this.i32[base + META] |= EXPLICIT_CONTEXT;
    if (before !== 0) cancellation.release(this, before);
  }

  // ── results ──

  /**
   * Stores a goroutine's result, or the error it ended with. A value that cannot be copied becomes the `CloneError` that says so; an error that cannot be
   * copied (it has a function among its properties, say) is stripped down to what can.
   */
  putResult(base: number, value: unknown, failed: boolean): void {
    const { i32, f64 } = this;
    if (typeof value === "number") {
      f64[(base + ARGS) >> 1] = value;
      i32[base + META] = (i32[base + META] & ~TAG_MASK) | NUMBER | (failed ? FAILED : 0);
      return;
    }
    let tag = TAG_UNDEFINED;
    if (value !== undefined) {
      try {
        tag = this.codec.put(base + ARGS, value, failed ? "error" : "result");
      } catch (error) {
        const substitute = failed ? strippedError(value) : error;
        tag = this.putSubstitute(base, substitute);
        failed = true;
      }
    }
    i32[base + META] = (i32[base + META] & ~TAG_MASK) | tag | (failed ? FAILED : 0);
  }

  private putSubstitute(base: number, error: unknown): number {
    try {
      return this.codec.put(base + ARGS, error, "error");
    } catch {
      // Not even that fits: the slab is full. A string in the slot needs no room.
      return this.codec.put(base + ARGS, "no room", "error");
    }
  }

  freeDescriptor(goroutine: number, base: number): void {
    const nameTag = this.i32[base + NAME_TAG];
    if (nameTag !== 0) this.codec.drop(base + G_NAME, nameTag);
    transitionToIdle(this.i32, base);
    this.goroutines.give(goroutine);
  }
}
