/** Finds and loads the addon, once, at first use; a failure tells its cause and the fix. */
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { VirbrError } from '../src/errors.ts'
import type { Addon } from './index.ts'

const require = createRequire(import.meta.url)
let loaded: Addon | undefined

export function loadAddon(): Addon {
  loaded ??= load(packageRoot())
  return loaded
}

/** Works from the sources and from dist/. */
function packageRoot(): string {
  let directory = import.meta.dirname
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) directory = dirname(directory)
  return directory
}

/** $VIRBR_ADDON and nothing else, if set; otherwise a local build first: who builds wants to use it. */
function candidates(root: string): string[] {
  const chosen = process.env.VIRBR_ADDON
  if (chosen !== undefined && chosen !== '') return [resolve(chosen)]
  const prebuilds = join(root, 'prebuilds', `${platform()}-${arch()}`)
  const built = existsSync(prebuilds) ? readdirSync(prebuilds).filter(file => file.endsWith('.node')).sort() : []
  return [
    join(root, 'build', 'Release', 'virbr.node'),
    join(root, 'build', 'Debug', 'virbr.node'),
    ...built.map(file => join(prebuilds, file)),
  ].filter(existsSync)
}

function load(root: string): Addon {
  const causes: string[] = []
  for (const path of candidates(root)) {
    try {
      return require(path) as Addon
    } catch (error) {
      causes.push(`${relative(root, path)}: ${(error as Error).message}`)
    }
  }
  throw new VirbrError('ERR_ADDON_LOAD', explain(causes))
}

function explain(causes: readonly string[]): string {
  const lines = [
    `virbr's addon could not be loaded on ${platform()}-${arch()}`,
    ...causes.map(cause => `  ${cause}`),
    'Possible solutions:',
  ]
  if (platform() !== 'linux') lines.push('- virbr speaks to the Linux kernel: it runs on Linux only')
  if (causes.length === 0) {
    lines.push(
      '- there is no prebuilt addon for this machine, or install scripts were blocked: allow them (npm rebuild virbr)',
      '- or compile it: with a C++17 compiler and cmake installed, npm rebuild virbr --foreground-scripts',
      '- in a checkout of virbr: npm run build',
    )
  } else if (causes.some(cause => /GLIBC(XX)?_/.test(cause))) {
    lines.push('- the C library is older than the one it was built for: compile it here, npm rebuild virbr --build-from-source')
  } else if (causes.some(cause => /wrong ELF class|invalid ELF header|cannot open shared object/.test(cause))) {
    lines.push('- it was built for another machine (a copied node_modules?): install on this one, npm ci')
  } else {
    lines.push('- build it again: npm rebuild virbr --foreground-scripts')
  }
  return lines.join('\n')
}
