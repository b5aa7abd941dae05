import type { ObjectNotes } from "../formats/object_notes.ts";
import type { ObjectBody } from "./object_body.ts";

/** An object that is complete and waits to be put. */
export interface CutObject {
  readonly notes: ObjectNotes;
  readonly body: ObjectBody;
}
