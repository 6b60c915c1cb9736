/**
 * The recommended form is two files: bodies in one that only declares them (fib.ts), the program in another.
 * A machine imports the module of a body, so whatever stands at the top level there runs on every machine.
 */
import { run } from "heddle";
import { fib } from "./fib.ts";

console.log(await run(fib, 20)); // 6765
