/** README, CHANGELOG and docs/ as the tests read them: headings, links, code blocks. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root: string = new URL('../../', import.meta.url).pathname

export interface Page {
  /** Path from the root, e.g. `docs/host.md`. */
  path: string
  text: string
}

export interface Example {
  /** e.g. `docs/host.md:12`: where its first line stands. */
  place: string
  code: string
  /** Marked `ts run`. All others are only type-checked. */
  runs: boolean
}

export const pages: Page[] = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map(name => `docs/${name}`)]
  .filter(path => path.endsWith('.md')).sort()
  .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))

export function page(path: string): Page {
  const found = pages.find(one => one.path === path)
  if (found === undefined) throw new Error(`there is no ${path}`)
  return found
}

/** Blocks that open with ```ts or ```ts run. */
export function examples({ path, text }: Page): Example[] {
  return [...text.matchAll(/^```ts( run)?\n(.*?)^```$/gms)].map(({ index, 1: run, 2: code = '' }) => {
    const line = text.slice(0, index).split('\n').length + 1
    return { place: `${path}:${line}`, code, runs: run !== undefined }
  })
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```$/gms, '')
}

/** Targets of `[text](target)` within the repository. */
export function links({ text }: Page): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
}

/** What GitHub makes of headings: `## What start does` → `what-start-does`. */
export function anchors({ text }: Page): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-'))
}

/** Files and folders of the sources that a page names between back quotes. */
export function namedPaths({ text }: Page): string[] {
  return [...withoutCode(text).matchAll(/`((?:src|binding|native|test|scripts|bench|examples|docs)\/[\w./@-]*)`/g)]
    .map(([, path = '']) => path)
}

/** Scripts that a page tells to run: `npm run NAME`. */
export function namedScripts({ text }: Page): string[] {
  return [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name)
}
