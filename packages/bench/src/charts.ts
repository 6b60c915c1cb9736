/** The charts of the report: which there are, and their SVG, drawn without a browser. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { SideName } from "./case.ts";
import { figuresOf, spreadOf } from "./figures.ts";
import { type Measured, sideTitles } from "./table.ts";

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

export interface Chart {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

interface Plan {
  readonly name: string;
  readonly title: string;
  /** Bars: a group per case. Lines: a line per family and side over what the names of the cases end in. */
  readonly kind: "bars" | "lines";
  /** Families of cases, or cases. */
  readonly of: readonly string[];
  /** Where figures differ by powers of ten. */
  readonly logarithmic: boolean;
}

const plans: readonly Plan[] = [
  {
    name: "goroutines",
    title: "Goroutines: ns each (less is better)",
    kind: "bars",
    of: ["spawn-join", "result", "fib/1p", "fib/2p", "gosched"],
    logarithmic: true,
  },
  {
    name: "channels",
    title: "Channels, select and locks: ns per operation (less is better)",
    kind: "bars",
    of: ["ping-pong", "producer-consumer", "four-by-four", "select", "mutex"],
    logarithmic: true,
  },
  {
    name: "parked",
    title: "Memory of a parked goroutine: bytes (less is better)",
    kind: "bars",
    of: ["parked/memory-100k", "parked/memory-1m"],
    logarithmic: true,
  },
  {
    name: "even-lists",
    title: "Lists of equal tasks on two processors: times faster than serially (more is better)",
    kind: "bars",
    of: ["even-goroutine", "even-host", "main-job"],
    logarithmic: false,
  },
  {
    name: "skewed-lists",
    title: "Skewed lists on two processors: times the ideal (1 is best)",
    kind: "bars",
    of: ["skewed"],
    logarithmic: false,
  },
  {
    name: "host-throughput",
    title: "Tiny tasks from the host: per second (more is better)",
    kind: "bars",
    of: ["host-throughput"],
    logarithmic: true,
  },
  {
    name: "host-latency",
    title: "One tiny task at a time from the host: µs (less is better)",
    kind: "bars",
    of: ["host-latency"],
    logarithmic: true,
  },
  {
    name: "payloads",
    title: "A Uint8Array to a task and from it: µs over its length (less is better)",
    kind: "lines",
    of: ["payload-in", "payload-out"],
    logarithmic: true,
  },
  {
    name: "processors-fib",
    title: "fib(25) over the number of processors: ns per goroutine (less is better)",
    kind: "lines",
    of: ["fib"],
    logarithmic: false,
  },
  {
    name: "processors-list",
    title: "1000 tasks of 100 µs over the number of processors: times faster than serially (more is better)",
    kind: "lines",
    of: ["even-procs"],
    logarithmic: false,
  },
];

/** The charts for which there are figures. */
export function drawCharts(measured: readonly Measured[]): Chart[] {
  return plans.flatMap((plan) => {
    const shown = measured.filter(({ of }) => plan.of.some((name) => isIn(of.name, name)));
    return shown.length === 0 ? [] : [{ name: plan.name, title: plan.title, svg: draw(plan, shown) }];
  });
}

function isIn(name: string, family: string): boolean {
  return name === family || name.startsWith(`${family}/`);
}

const WIDTH = 960;
const ROW_HEIGHT = 15;
const LINES_HEIGHT = 420;
/** For the title, the legend and the axis. */
const MARGINS_HEIGHT = 130;

function draw(plan: Plan, measured: readonly Measured[]): string {
  const [option, height] = plan.kind === "bars" ? bars(plan, measured) : lines(plan, measured);
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#fff",
    title: { text: plan.title, left: "center", top: 0, textStyle: { fontSize: 15 } },
    legend: { top: 34, itemGap: 20 },
    grid: {
      left: 20,
      right: 70,
      top: 80,
      bottom: 20,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** Horizontal, the first case at the top, each with a bar per side. */
function bars(plan: Plan, measured: readonly Measured[]): [EChartsCoreOption, number] {
  const sides = sidesIn(measured);
  const rows = measured.reduce((sum, one) => sum + sidesIn([one]).length + 1, 0);
  const option = {
    xAxis: { type: plan.logarithmic ? "log" : "value" },
    yAxis: { type: "category", inverse: true, data: measured.map(({ of }) => of.name) },
    series: sides.map((side) => ({
      type: "bar",
      name: sideTitles[side],
      data: measured.map((one) => medianIn(one, side) ?? "-"),
      label: { show: true, position: "right", fontSize: 9, formatter: threeDigits },
      itemStyle: { color: colours[side] },
    })),
  };
  return [option, MARGINS_HEIGHT + ROW_HEIGHT * Math.max(rows, sides.length)];
}

function lines(plan: Plan, measured: readonly Measured[]): [EChartsCoreOption, number] {
  const ends = [...new Set(measured.map(({ of }) => endOf(of.name)))];
  const families = [...new Set(measured.map(({ of }) => familyOf(of.name)))];
  const series = families.flatMap((family, index) =>
    sidesIn(measured, 2).map((side) => ({
      type: "line",
      name: families.length === 1 ? sideTitles[side] : `${sideTitles[side]}, ${family}`,
      data: ends.map((end) => {
        const found = measured.find(({ of }) => of.name === `${family}/${end}`);
        return (found && medianIn(found, side)) ?? "-";
      }),
      label: { show: true, fontSize: 9, formatter: threeDigits },
      itemStyle: { color: colours[side] },
      lineStyle: { color: colours[side], type: index === 0 ? "solid" : "dashed" },
    })),
  );
  const option = {
    xAxis: { type: "category", data: ends },
    yAxis: { type: plan.logarithmic ? "log" : "value" },
    series,
  };
  return [option, LINES_HEIGHT];
}

function threeDigits({ value }: { value: unknown }): string {
  return typeof value === "number" ? Number(value.toPrecision(3)).toLocaleString("en") : "";
}

function endOf(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

function familyOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

/** The sides with figures of at least so many cases: a line needs two. */
function sidesIn(measured: readonly Measured[], atLeast = 1): SideName[] {
  const all = Object.keys(sideTitles) as SideName[];
  const figures = (side: SideName) => measured.filter((one) => medianIn(one, side) !== undefined);
  return all.filter((side) => figures(side).length >= atLeast);
}

function medianIn({ result }: Measured, side: SideName): number | undefined {
  return spreadOf(figuresOf(result, side))?.median;
}

/** The same side in the same colour in every chart. */
const colours: Readonly<Record<SideName, string>> = {
  heddle: "#c2410c",
  go: "#0891b2",
  promises: "#ca8a04",
  effect: "#525252",
  piscina: "#1d4ed8",
  "piscina tuned": "#60a5fa",
  tinypool: "#15803d",
  workerpool: "#86efac",
  poolifier: "#7e22ce",
  bthreads: "#d8b4fe",
  nanothreads: "#be185d",
  comlink: "#f9a8d4",
  "jest-worker": "#78716c",
};
