/** Every bound in one place, each with its unit in its name. `docs/limits.md` tells users what they mean. */
export const limits = {
  /** Elements within elements. */
  canvasDepth: 16,
  /** Members of all elements of one run. */
  canvasMembers: 250_000,
  /** Items of a map. */
  mapItems: 100_000,
  /** Text of a condition in `when`. */
  conditionCharacters: 2_048,
  /** Parts of a condition: names, operators, values, calls. */
  conditionParts: 250,
  conditionDepth: 32,
  /** Each value that a condition looks at, as JSON. */
  conditionValueBytes: 64 * 1024,
  /** Evaluations of parts, and values and characters looked at, in one evaluation of a condition. */
  conditionWork: 500_000,
  /** One task's result, unless the administrator sets another bound (`PayloadLimits`). */
  resultBytes: 1024 * 1024,
  /** A list of results, as a chord's body gets it, unless the administrator sets another bound. */
  listBytes: 16 * 1024 * 1024,
  /** A list of results that a map takes apart: no message carries it as a whole. */
  itemsBytes: 256 * 1024 * 1024,
  /** All arguments of one message, whatever the administrator set. */
  argumentBytes: 256 * 1024 * 1024,
  /** Results up to this size are handed to the deciding script as text; it reads larger ones itself. */
  inlineResultBytes: 4 * 1024,
  /** A final result up to this size is shown in status. */
  shownResultBytes: 4 * 1024,
  /** Of an error's message, this much is shown. */
  shownErrorCharacters: 256,
  /** Messages in one call of the deciding script. */
  publishesPerCall: 500,
  /** Their texts together; a single larger one goes by itself. */
  publishedBytesPerCall: 8 * 1024 * 1024,
  /** Results that one call of the deciding script takes in, together; a single larger one goes by itself. */
  recordedBytesPerCall: 8 * 1024 * 1024,
  /** Results that an operator has heard and not decided on yet, of all runs of one Redis, about; the rest is left in Redis. */
  seenBytes: 64 * 1024 * 1024,
  /** Steps listed in a Workflow's status. */
  statusSteps: 100,
  /** Failures listed in a Workflow's status. */
  statusFailures: 20,
  /** What one status may weigh: beyond it, the lists are cut. */
  statusBytes: 64 * 1024,
  /** Of a status, the checkpoint; a larger one is left out. Characters of base64url. */
  checkpointBytes: 40 * 1024,
  /** A callback, errback or clean-up waits in its queue at most so long, and runs at most as long again. */
  handlerSeconds: 600,
  /** A worker is given this long beyond a task's time limit to end it and tell so. */
  killGraceSeconds: 30,
  /** A task that was asked to stop, by a cancel or a deadline, is given this long. */
  stopGraceSeconds: 30,
  /** Times a task that was lost with its worker runs again. */
  lostAttempts: 3,
} as const;
