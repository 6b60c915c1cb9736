throw new Error("this module does not load");
export function body() {}
