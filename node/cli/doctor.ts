// `allcores doctor`: is threading on here?

import { diagnose, formatDiagnosis } from "../doctor.ts";
import { checkWritable, type Io, writeJson } from "./io.ts";

export interface DoctorFlags {
  json?: string;
}

/** @returns The exit code: 1 if threading is off. */
export async function doctor(flags: DoctorFlags, io: Io): Promise<number> {
  checkWritable("--json", flags.json);
  const diagnosis = await diagnose();
  if (flags.json !== "-") io.out(formatDiagnosis(diagnosis, io.colors));
  if (flags.json !== undefined) writeJson(flags.json, diagnosis);
  return diagnosis.ok ? 0 : 1;
}
