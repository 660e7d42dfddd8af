import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Says at the end which tests were skipped and why, and closes with one plain line of counts. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    // A worker that died is an unhandled error; the tests it was to run are then neither passed nor failed.
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const skipped = new Map<string, string[]>()
    for (const module of modules) {
      // A file that could not be loaded has no tests, and must not count as none failed.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) count.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed' || state === 'failed') {
          count[state]++
          continue
        }
        count.skipped++
        const reason = skipReason(test)
        skipped.set(reason, [...skipped.get(reason) ?? [], `${module.relativeModuleId} > ${test.fullName}`])
      }
    }
    const lines = [...skipped].sort(([a], [b]) => a < b ? -1 : 1).flatMap(([reason, names]) =>
      [`skipped, ${reason}:`, ...names.map(name => `  ${name}`)])
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

function skipReason(test: TestCase): string {
  const { needs } = test.meta()
  if (needs !== undefined) return `needs ${needs}`
  const result = test.result()
  if (result.state === 'pending') return 'never finished'
  return (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given'
}
