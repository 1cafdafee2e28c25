// SPDX-License-Identifier: EUPL-1.2
// What a suite found: a line for each check, and the sum of them.

export class Sheet {
  constructor(suite) {
    this.suite = suite;
    this.checks = [];
  }

  /** Runs one check. It holds when it comes to its end within ten seconds, and does not where it throws. */
  async check(name, run) {
    try {
      await within(10_000, run(), 'the check');
      this.note(name, true);
    } catch (e) {
      this.note(name, false, e instanceof Error ? e.message : JSON.stringify(e));
    }
  }

  /** Notes a check that somebody else carried out. */
  note(name, ok, why = '') {
    this.checks.push({ name, ok, why });
  }

  get passed() {
    return this.checks.filter((c) => c.ok).length;
  }

  get ok() {
    return this.checks.length > 0 && this.passed === this.checks.length;
  }
}

/** Fails unless two values are the same as JSON. */
export function same(got, want, what) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

/** Fails unless something is so. */
export function so(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** A promise that fails when it takes too long. */
export function within(milliseconds, promise, what) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what} took more than ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Some time in which something must not happen. Nothing else is waited for by the clock. */
export const quiet = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));
