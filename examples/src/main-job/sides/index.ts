import type { OpenSide, Side } from "../side.ts";
import { openHeddle } from "./heddle.ts";
import { openPiscina } from "./piscina.ts";
import { openSerial } from "./serial.ts";

const openers: Readonly<Record<string, OpenSide>> = {
  serial: openSerial,
  piscina: openPiscina,
  heddle: openHeddle,
};

export const sideNames: readonly string[] = Object.keys(openers);

export function openSide(name: string): Promise<Side> {
  const open = openers[name];
  if (open === undefined) throw new RangeError(`openSide: no side ${name}`);
  return open();
}
