// What a suite that runs on another runtime tells, in lines on its standard output: LINE, then an event as JSON.

export const LINE = "@suite ";

export type SuiteEvent =
  | { event: "begin"; name: string }
  | { event: "test"; name: string; state: "passed" | "failed" | "skipped"; milliseconds: number; message: string }
  | { event: "end" };
