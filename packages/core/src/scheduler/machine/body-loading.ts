/** How a machine comes by the bodies of goroutines: a function it meets for the first time is looked up in its module, which is imported if need be; the goroutine waits meanwhile. */

import { FunctionError } from "../../base/errors.ts";
import { messageOf } from "../../base/show.ts";
import { type Body, bodyIn, bodyKind, declaredBody } from "../../goroutine/functions.ts";
import { transitionRunningToRunnable, transitionToRunning } from "../../goroutine/status.ts";
import { G_FRAME, G_MACHINE, G_WORDS } from "../../memory/layout.ts";
import { LocalList } from "../../queue/local-list.ts";
import { HoldingMachine } from "./processor-holding.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const WORDS = G_WORDS;
const MACHINE = G_MACHINE;

export abstract class LoadingMachine extends HoldingMachine {
  /** A goroutine ends with an error before its body was called. */
  protected abstract endUnstarted(goroutine: number, base: number, error: Error): void;

  /** The body's module is not loaded yet: the goroutine waits for it here. */
  protected waitForModule(id: number, goroutine: number, base: number): void {
    const { i32 } = this;
    this.frame = undefined;
    i32[base + MACHINE] = 0;
    transitionRunningToRunnable(i32, base);
    const waiting = this.loading.get(id);
    if (waiting !== undefined) {
      i32[base + G_FRAME] = this.number + 1;
      waiting.push(goroutine);
      return;
    }
    const place = this.functions.placeOf(id);
    const known = declaredBody(place.url, place.name);
    if (known !== undefined) {
      this.addBody(id, known);
      this.queue.push(goroutine);
      return;
    }
    i32[base + G_FRAME] = this.number + 1;
    const list = new LocalList(i32, this.descriptors);
    list.push(goroutine);
    this.loading.set(id, list);
    this.ranSinceTurn = true;
    this.platform
      .load(place.url)
      .then((exports) => this.addBody(id, bodyIn(exports, place)))
      .then(
        () => this.modulesArrived(id, undefined),
        (error: unknown) => this.modulesArrived(id, loadError(place.url, place.name, error)),
      );
  }

  protected addBody(id: number, body: Body): void {
    this.bodies[id] = body;
    this.kinds[id] = bodyKind(body);
  }

  /** Goroutines that have not begun, because the module of their body is being loaded, which takes turns of the event loop: another machine can load it. */
  protected passOnLoading(): void {
    let some = false;
    for (const list of this.loading.values()) {
      for (let goroutine = list.pop(); goroutine !== 0; goroutine = list.pop()) {
        // It waits for nobody's module any more; what stands here would be taken for the place of its frame.
        this.i32[this.descriptors + goroutine * WORDS + G_FRAME] = 0;
        this.globalQueue.push(goroutine);
        some = true;
      }
    }
    if (some) this.idle.wakeOneIfIdle();
  }

  protected modulesArrived(id: number, error: Error | undefined): void {
    const { i32 } = this;
    const list = this.loading.get(id);
    this.loading.delete(id);
    for (let goroutine = list?.pop() ?? 0; goroutine !== 0; goroutine = list?.pop() ?? 0) {
      const base = this.descriptors + goroutine * WORDS;
      i32[base + G_FRAME] = 0;
      if (error === undefined) {
        this.enqueueNew(goroutine);
        continue;
      }
      transitionToRunning(i32, base);
      this.endUnstarted(goroutine, base, error);
    }
    if (!this.running) this.platform.requestRun();
  }
}

function loadError(url: string, name: string, error: unknown): FunctionError {
  if (error instanceof FunctionError && error.message.includes(url)) return error;
  const reason = messageOf(error);
  return new FunctionError(`cannot load "${name}" of ${url}: ${reason}`, { cause: error });
}
