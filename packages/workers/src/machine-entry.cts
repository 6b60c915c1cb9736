/**
 * What the pool loads on a machine's thread: the way to machine-main, which is an ES module.
 *
 * The pool tries require() first. Where Node loads ES modules that way, a thread that is ended in the middle of it takes the whole process along, for Node then asks something of
 * a module that was never instantiated. Where tsx does, the thread gets a second copy of Heddle, which the bodies do not see. A CommonJS module is all that require() touches here.
 */

// While pool and thread still greet each other. What goes wrong is told to the task.
const loading = import("./machine-main.ts");
loading.catch(() => {});

module.exports = async (boot: unknown): Promise<void> => {
  const { default: machineMain } = await loading;
  await machineMain(boot as Parameters<typeof machineMain>[0]);
};
