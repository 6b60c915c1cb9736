/** The few globals outside the language that core uses: the same in Node and in browsers. */
declare const performance: { now(): number };
interface ImportMeta {
  readonly url: string;
}
