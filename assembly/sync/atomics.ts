// Every access to a word that several threads share goes through here, so that one file decides what an access is:
// sequentially consistent and aligned in the threaded builds, plain in the serial build, which has one thread and is
// what the cost of being threaded is measured against.

/** What a wait returns when its time was over. 0 is "woken", 1 is "the value was another one". */
export const WAIT_TIMED_OUT: i32 = 2;

export function read(address: usize): i32 {
  return ASC_FEATURE_THREADS ? atomic.load<i32>(address) : load<i32>(address);
}

export function write(address: usize, value: i32): void {
  if (ASC_FEATURE_THREADS) atomic.store<i32>(address, value);
  else store<i32>(address, value);
}

/** Adds, and returns the value before. */
export function add(address: usize, value: i32): i32 {
  if (ASC_FEATURE_THREADS) return atomic.add<i32>(address, value);
  const before = load<i32>(address);
  store<i32>(address, before + value);
  return before;
}

/** Adds to a 64-bit word. */
export function add64(address: usize, value: i64): void {
  if (ASC_FEATURE_THREADS) atomic.add<i64>(address, value);
  else store<i64>(address, load<i64>(address) + value);
}

/** Writes, and returns the value before. */
export function exchange(address: usize, value: i32): i32 {
  if (ASC_FEATURE_THREADS) return atomic.xchg<i32>(address, value);
  const before = load<i32>(address);
  store<i32>(address, value);
  return before;
}

/** Writes `value` if the word is `expected`, and returns the value before. */
export function compareExchange(address: usize, expected: i32, value: i32): i32 {
  if (ASC_FEATURE_THREADS) return atomic.cmpxchg<i32>(address, expected, value);
  const before = load<i32>(address);
  if (before == expected) store<i32>(address, value);
  return before;
}

/**
 * Sleeps while the word is `expected`, for `milliseconds` at most. There are hosts that lose wake-ups, so every caller
 * re-checks its condition in a loop: then a lost wake-up costs a slice of time, not for ever.
 */
export function wait(address: usize, expected: i32, milliseconds: i32): i32 {
  return ASC_FEATURE_THREADS ? atomic.wait<i32>(address, expected, i64(milliseconds) * 1_000_000) : WAIT_TIMED_OUT;
}

export function wakeOne(address: usize): void {
  if (ASC_FEATURE_THREADS) atomic.notify(address, 1);
}

/** Wakes all: on a host that cannot stop a thread at once, a wake-up for one may go to a dying one. */
export function wakeAll(address: usize): void {
  if (ASC_FEATURE_THREADS) atomic.notify(address, -1);
}
