/** What README and docs name is there: links, files, npm scripts, error codes, dependencies. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { anchors, links, namedPaths, namedScripts, page, pages, root } from './markdown.ts'

interface Manifest {
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

test.each(pages)('the links of $path lead somewhere', from => {
  const broken = links(from).filter(link => {
    const [file = '', anchor] = link.split('#')
    const path = file === '' ? from.path : normalize(join(dirname(from.path), file))
    if (!existsSync(join(root, path))) return true
    return anchor !== undefined && !anchors(page(path)).includes(anchor)
  })
  expect(broken).toEqual([])
})

test.each(pages)('the files that $path names exist', from => {
  expect(namedPaths(from).filter(path => !existsSync(join(root, path)))).toEqual([])
})

test.each(pages)('the npm scripts that $path names exist', from => {
  expect(namedScripts(from).filter(name => manifest.scripts[name] === undefined)).toEqual([])
})

test('README leads to every page', () => {
  const reached = links(page('README.md')).map(link => link.split('#')[0])
  expect(pages.map(({ path }) => path).filter(path => path !== 'README.md' && !reached.includes(path))).toEqual([])
})

test('errors.md has every error code once, and no other', () => {
  const source = readFileSync(join(root, 'src/errors.ts'), 'utf8')
  const codes = [...source.matchAll(/^ {2}\| '(ERR_\w+)'$/gm)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(0)
  const headings = [...page('docs/errors.md').text.matchAll(/^### (ERR_\w+)$/gm)].map(([, code]) => code)
  expect(headings.sort()).toEqual(codes.sort())
})

test('dependencies.md has every dependency once, and no other', () => {
  const rows = [...page('docs/dependencies.md').text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
  const all = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]
  expect(rows.sort()).toEqual(all.sort())
})

test('CHANGELOG has the version of package.json', () => {
  const { version } = manifest as unknown as { version: string }
  expect(page('CHANGELOG.md').text).toContain(`## [${version}]`)
})
