import { join } from 'node:path'
import { expect } from 'vitest'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { temporaryFolder } from './support.ts'

const native = new URL('../../native/', import.meta.url).pathname

needing(needs.tool('g++')).test('framing, by itself and under the sanitizers, passes its own test', { timeout: 120_000 }, async () => {
  const program = join(await temporaryFolder(), 'framing_test')
  const options = ['-std=c++17', '-Wall', '-Wextra', '-Wconversion', '-Werror', '-fsanitize=address,undefined']
  const sources = [join(native, 'test/framing_test.cc'), join(native, 'framing.cc')]
  await run('g++', [...options, ...sources, '-o', program], { timeoutMs: 100_000 })
  expect(await run(program, [])).toMatch(/passed/)
})
