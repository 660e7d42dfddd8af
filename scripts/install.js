/**
 * npm's `install` hook: makes sure that the addon is there. A prebuilt one, or one built before, that loads is enough;
 * otherwise it is compiled, if the machine can. `npm rebuild virbr --build-from-source` compiles in any case.
 *
 * A machine that cannot compile is not an error here: the loader (binding/load.ts) says what to do when the addon is first
 * used, and in a checkout scripts/setup installs the compiler afterwards. A compiler that fails is one.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { delimiter, join, relative } from 'node:path'

const require = createRequire(import.meta.url)
const root = join(import.meta.dirname, '..')
const prebuilds = join(root, 'prebuilds', `${platform()}-${arch()}`)

const say = text => console.error(`virbr: ${text}`)

/** As in binding/load.ts. */
function candidates() {
  const prebuilt = existsSync(prebuilds) ? readdirSync(prebuilds).filter(file => file.endsWith('.node')).sort() : []
  return [join(root, 'build', 'Release', 'virbr.node'), ...prebuilt.map(file => join(prebuilds, file))].filter(existsSync)
}

/** In a process of its own: a file for another machine must not take the installation down with it. */
function loads(path) {
  const { status, stderr } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(path)})`], { encoding: 'utf8' })
  if (status !== 0) say(`${relative(root, path)} does not load: ${/^Error: .*/m.exec(stderr)?.[0] ?? `exit status ${status}`}`)
  return status === 0
}

const commandIn = names => names.find(name =>
  (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && existsSync(join(folder, name))))

function missingTools() {
  const compiler = process.env.CXX ?? commandIn(['c++', 'g++', 'clang++'])
  const generator = commandIn(['ninja', 'make'])
  return [
    ...(compiler === undefined ? ['a C++17 compiler'] : []),
    ...(commandIn(['cmake']) === undefined ? ['cmake'] : []),
    ...(generator === undefined ? ['make'] : []),
  ]
}

function compile() {
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js')
  // What is there already was made for another machine, or half.
  const command = existsSync(join(root, 'build')) ? 'rebuild' : 'build'
  const { status } = spawnSync(process.execPath, [cmakeJs, command, '--config', 'Release'], { cwd: root, stdio: 'inherit' })
  return status === 0
}

function main() {
  if (platform() !== 'linux') {
    say('it speaks to the Linux kernel: nothing to build on this system')
    return 0
  }
  const fromSource = !['', 'false'].includes(process.env.npm_config_build_from_source ?? '')
  if (!fromSource && candidates().some(loads)) return 0
  const missing = missingTools()
  if (missing.length > 0) {
    say(`there is no addon for ${platform()}-${arch()} yet, and to compile it ${missing.join(', ')} would be needed`)
    say(existsSync(join(root, 'scripts', 'setup'))
      ? 'scripts/setup installs what is missing and builds it'
      : 'install that (Debian: apt-get install g++ make cmake), then: npm rebuild virbr --foreground-scripts')
    return 0
  }
  if (compile() && candidates().some(loads)) return 0
  say('the addon could not be compiled; the cause stands above (npm install --foreground-scripts shows it)')
  return 1
}

process.exitCode = main()
