// Shows that the harness tells good from bad: what its tests are called is what has to become of them.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

describe("hooks", () => {
  const calls: string[] = [];
  beforeAll(async () => {
    await Promise.resolve();
    calls.push("beforeAll");
  });
  beforeEach(() => {
    calls.push("beforeEach");
  });
  afterEach(() => {
    calls.push("afterEach");
  });
  afterAll(() => {
    calls.length = 0;
  });
  test("passes: before the first test", () => expect(calls).toEqual(["beforeAll", "beforeEach"]));
  test("passes: between tests", () => expect(calls.slice(2)).toEqual(["afterEach", "beforeEach"]));
});

describe("a hook that throws", () => {
  beforeAll(() => {
    throw new Error("hook");
  });
  test("skipped: its tests", () => {});
});

describe("assertions", () => {
  const rejection = () => Promise.reject(Object.assign(new TypeError("no"), { code: "E_NO" }));
  const thrower = () => {
    throw new RangeError("too far");
  };

  test("passes: what is so", async () => {
    expect({ a: [1, { b: 2 }] }).toEqual({ a: [1, { b: expect.any(Number) }] });
    expect({ a: 1, b: 2 }).toEqual(expect.objectContaining({ a: 1 }));
    expect(new Uint32Array([1, 2])).toEqual(new Uint32Array([1, 2]));
    expect(new Uint32Array([1, 2])).not.toEqual(new Uint32Array([1, 3]));
    expect({ a: undefined }).not.toStrictEqual({});
    expect(0.1 + 0.2).toBeCloseTo(0.3, 10);
    expect(thrower).toThrow(RangeError);
    expect(thrower).toThrow("too far");
    await expect(rejection()).rejects.toMatchObject({ code: "E_NO" });
    await expect(rejection()).rejects.toThrow(TypeError);
    await expect(Promise.resolve({ a: 1, b: 2 })).resolves.toMatchObject({ a: 1 });
    expect([1, 2, 3]).toContain(2);
    expect(3).toBeGreaterThan(2);
    expect(2n).toBeLessThanOrEqual(2n);
    expect("a").toMatch(/a/);
    expect([]).toHaveLength(0);
    expect({}).toBeInstanceOf(Object);
    expect({ a: 1 }, "with a message").toHaveProperty("a", 1);
    expect(["a", "b"]).toContain("b");
    expect(Number.NaN).toBeNaN();
    expect(null).toBeNull();
    expect(undefined).toBeUndefined();
  });

  test.each([
    ["one", 1],
    ["two", 2],
  ])("passes: a table's row %s", (_, number) => expect(number).toBeLessThan(3));

  test("fails: toEqual", () => expect(new Uint32Array([1])).toEqual(new Uint32Array([2])));
  test("fails: toBeCloseTo", () => expect(1).toBeCloseTo(1.1));
  test("fails: toThrow", () => expect(() => {}).toThrow());
  test("fails: rejects, of what resolves", () => expect(Promise.resolve()).rejects.toThrow());
  test("fails: rejects, with another reason", () => expect(rejection()).rejects.toMatchObject({ code: "E_YES" }));
  test("fails: what throws", thrower);
  test("fails: what rejects", rejection);
  test("fails: what takes too long", { timeout: 20 }, () => new Promise(() => {}));
});

test.skip("skipped: what is to be skipped", () => expect(1).toBe(2));
test.todo("skipped: what is to be written");
