/** The C types of native/libvirt/abi.h and functions.h, which libvirt's headers are not needed for, against those headers. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

const { test } = needing(needs.tool('g++'), needs.file('/usr/include/libvirt/libvirt.h'))

test('structures and functions are declared as in libvirt’s own headers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-abi-'))
  try {
    const layout = async (name: string, ...flags: string[]): Promise<string> => {
      const program = join(folder, name)
      await run('g++', ['-std=c++17', '-Wno-deprecated-declarations', '-Wno-invalid-offsetof', ...flags,
        '-c', '-o', `${program}.o`, 'native/test/libvirt_abi.cc'])
      await run('g++', ['-o', program, `${program}.o`])
      return run(program, [])
    }
    // The system's compile also compares the type of every function.
    const [ours, theirs] = await Promise.all([layout('ours'), layout('theirs', '-DSYSTEM')])
    expect(ours).toBe(theirs)
    expect(ours.split('\n').length).toBeGreaterThan(40)
  } finally {
    await rm(folder, { recursive: true })
  }
})
