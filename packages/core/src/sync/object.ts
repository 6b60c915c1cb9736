/** The records of sync objects, where this folder used to have them. */
export { ObjectTable, objectKind, objectsOf, type SharedObject } from "../scheduler/shared-object.ts";
