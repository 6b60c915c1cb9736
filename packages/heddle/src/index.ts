/// <reference lib="esnext.disposable" preserve="true" />

export * from "@heddle/workers";
