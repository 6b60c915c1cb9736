export * from "@heddle/workers";
