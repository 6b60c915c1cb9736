export { loopText as nodeText } from "@heddle/core";
