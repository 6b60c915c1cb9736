export * from "@heddle/workers/testing";
