// The most speedup that a schedule allows, given what its chunks cost. A measured speedup near its ceiling says "my
// chunks are too big"; one far below it says "the machine, or the engine, does not scale". Without the ceiling, the two
// look the same.
//
// Costs are in any one unit: iterations, which no noise touches, or milliseconds.

/**
 * The ceiling when each chunk goes, in order, to the thread that is free first, as with the schedule `dynamic`: the sum
 * of the costs by the time at which the last thread ends. Between 1 and `threads`; `threads` if nothing costs anything.
 *
 * @param costs What each chunk costs, in the order in which chunks are claimed.
 */
export function dynamicCeiling(costs: ArrayLike<number>, threads: number): number {
  const busyUntil = new Float64Array(threads);
  for (let chunk = 0; chunk < costs.length; chunk++) {
    const first = indexOfLeast(busyUntil);
    busyUntil[first] = (busyUntil[first] as number) + (costs[chunk] as number);
  }
  return staticCeiling(busyUntil);
}

/**
 * The ceiling when the work was divided beforehand, as with the schedule `static`: the sum of the costs by the
 * greatest. Between 1 and the number of bands, which it is if nothing costs anything.
 *
 * @param bandCosts What each thread's band costs: an entry a thread.
 */
export function staticCeiling(bandCosts: ArrayLike<number>): number {
  let sum = 0;
  let makespan = 0;
  for (let thread = 0; thread < bandCosts.length; thread++) {
    const cost = bandCosts[thread] as number;
    sum += cost;
    makespan = Math.max(makespan, cost);
  }
  return makespan === 0 ? bandCosts.length : sum / makespan;
}

/** A scan: with 256 threads at most, a heap would save nothing that anybody waits for. */
function indexOfLeast(values: Float64Array): number {
  let least = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] as number) < (values[least] as number)) least = index;
  }
  return least;
}
