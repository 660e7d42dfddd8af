/** What `import 'virbr'` adds to the start of a Node process: agents are started often. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { timeMs } from '../support/job.ts'
import type { Job } from '../support/job.ts'

// Compiled, this file is dist/bench/jobs/import-time.js: what is measured is the package as published.
const entry = fileURLToPath(new URL('../../src/index.js', import.meta.url))

function startNode(code: string): Promise<number> {
  return timeMs(() => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code]))
}

const job: Job = {
  name: 'import-time',
  about: 'a Node process that imports virbr, against one that imports nothing',
  unit: 'ms',
  rounds: 15,
  warmup: 1,
  open: () => Promise.resolve({
    ours: () => startNode(`import ${JSON.stringify(entry)}`),
    floor: () => startNode(''),
  }),
}

export default job
