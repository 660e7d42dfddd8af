/** Every example in README and docs is right: all are type-checked against the sources, those marked `ts run` are run. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import ts from 'typescript'
import { expect, onTestFinished, test } from 'vitest'
import { kernelNeeds } from '../kernel/lab.ts'
import { tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { examples, page, pages, root } from './markdown.ts'

const all = pages.flatMap(examples)

/** What examples import. */
const entries = { 'virbr': 'index', 'virbr/nftables': 'nftables/index', 'virbr/libvirt': 'libvirt/index' }

test('all examples have the right types', () => {
  const sources = new Map(all.map(({ place, code }) => [join(root, 'test/docs', `${place.replaceAll(/\W/g, '-')}.ts`), { place, code }]))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path)) as { config: object }
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root)
  // An example may import or read something only to show that it is there.
  const paths = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [join(root, 'src', `${path}.ts`)]]))
  const relaxed = { ...options, noUnusedLocals: false, paths }
  const host = ts.createCompilerHost(relaxed)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = path => sources.has(path) || fileExists(path)
  host.readFile = path => sources.get(path)?.code ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const source = sources.get(path)
    return source === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, source.code, version)
  }
  const program = ts.createProgram([...sources.keys()], relaxed, host)
  const problems = [...sources].flatMap(([path, { place }]) => {
    const file = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .map(({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
  })
  expect(problems).toEqual([])
}, 120_000)

test('the examples of README can all be run', () => {
  expect(examples(page('README.md')).filter(({ runs }) => !runs)).toEqual([])
})

/** The package as built. scripts/test keeps it up to date. */
const built = (entry: string): string => JSON.stringify(new URL(`../../dist/src/${entry}`, import.meta.url).href)

/** The first process of its namespaces: whatever an example leaves behind ends with it. */
const inside = 'mount -t sysfs sysfs /sys && mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up && exec "$@"'
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', inside, 'sh']

const runnable = all.filter(({ runs }) => runs)
const makesTap = ({ code }: { code: string }): boolean => code.includes("'tap'")
const asksLibvirt = ({ code }: { code: string }): boolean => code.includes("'test:///")

needing(...kernelNeeds).test.each(runnable.filter(example => !makesTap(example) && !asksLibvirt(example)))('$place runs', runs)
needing(...kernelNeeds, needs.library('libvirt.so.0')).test.each(runnable.filter(asksLibvirt))('$place runs', runs)
needing(...kernelNeeds, needs.kernel('tap')).test.each(runnable.filter(makesTap))('$place runs', runs)

async function runs({ code }: { code: string }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-docs-'))
  // dnsmasq reads its list of fixed hosts as a user of its own.
  await chmod(folder, 0o755)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } })
  const source = Object.entries(entries).reduce((text, [name, path]) => text.replaceAll(`'${name}'`, built(`${path}.js`)), outputText)
  const { status, stderr } = await tryRun('unshare', [...apart, process.execPath, '--input-type=module', '-e', source],
    { env: { VIRBR_URI: `kernel:///system?root=${folder}` }, timeoutMs: 25_000 })
  expect(stderr).toBe('')
  expect(status).toBe(0)
}
