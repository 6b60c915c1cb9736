export { countFile as default } from "../count.ts";
