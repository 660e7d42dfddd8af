/** Whatever a network's XML or configuration is, it is taken, or refused by a VirbrError that names the place. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { NetworkConfig } from '../../src/network/config.ts'
import { validateNetwork } from '../../src/network/validate.ts'
import { formatNetworkXml, parseNetworkXml } from '../../src/network/xml.ts'
import { Complaints, neverRight, someWrongValues, spoiled, wrongArguments, wrongValues } from '../support/hostile.ts'

const functions = { parseNetworkXml, formatNetworkXml, validateNetwork } as unknown as Record<string, (...args: unknown[]) => unknown>

/** Every element that virbr knows. Objects of a program have no order of their own. */
const configs = ['everything', 'hostdev'].map(name =>
  structuredClone(parseNetworkXml(readFileSync(new URL(`fixtures/${name}.xml`, import.meta.url), 'utf8'))) as NetworkConfig)

test('every function, with wrong values for all of its arguments', async () => {
  const complaints = new Complaints()
  for (const [name, call] of Object.entries(functions)) {
    for (const given of wrongArguments(someWrongValues, [])) await complaints.try(name, () => call(...given), given)
  }
  expect(complaints.list).toEqual([])
})

test('every field of a configuration, with each wrong value in its place, and none takes what is right nowhere', async () => {
  const complaints = new Complaints()
  for (const config of configs) {
    for (const [path, [spoilt]] of spoiled([config], wrongValues)) {
      await complaints.try(`formatNetworkXml${path}`, () => formatNetworkXml(spoilt as NetworkConfig), [])
      await complaints.try(`validateNetwork${path}`, () => { validateNetwork(spoilt as NetworkConfig) }, [])
    }
    for (const [path, [spoilt]] of spoiled([config], neverRight)) {
      await complaints.refused('formatNetworkXml', path, () => formatNetworkXml(spoilt as NetworkConfig), [])
    }
  }
  expect(complaints.list).toEqual([])
})
