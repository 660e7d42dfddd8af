/** Names and passwords: libvirt's mock, and a real daemon that asks by SASL. */
import { expect, onTestFinished } from 'vitest'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { AuthAnswers, AuthRequest } from '../../src/libvirt/open.ts'
import { libvirtdNeeds, startLibvirtd, testNode } from '../support/libvirtd.ts'
import { needing, needs } from '../support/needs.ts'
import { connectFor, failureOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))
const login = { user: 'fred', password: 'open sesame' }
const withDaemon = needing(needs.library('libvirt.so.0'), ...libvirtdNeeds({ login }))

async function guardedNode(): Promise<string> {
  const node = await testNode("<auth><user password='sesame'>fred</user></auth>")
  onTestFinished(() => node[Symbol.asyncDispose]())
  return node.uri
}

test.each<[string, () => AuthAnswers | Promise<AuthAnswers>]>([
  ['by type', () => ({ authname: 'fred', passphrase: 'sesame' })],
  ['later', () => Promise.resolve({ authname: 'fred', passphrase: 'sesame' })],
])('answers %s open it', async (_, answers) => {
  const uri = await guardedNode()
  const asked: AuthRequest[] = []
  const connection = await connectFor(uri, {
    auth: credentials => {
      asked.push(...credentials)
      return answers()
    },
  })
  expect(await connection.isAlive()).toBe(true)
  expect(asked.map(({ type }) => type)).toEqual(['authname', 'passphrase'])
  expect(asked.every(({ prompt }) => prompt !== '')).toBe(true)
})

test('answers in the order of the questions open it', async () => {
  const connection = await connectFor(await guardedNode(), { auth: credentials => credentials.map(({ type }) => type === 'authname' ? 'fred' : 'sesame') })
  expect(await connection.type()).toBe('TEST')
})

test('without answers, or with wrong ones, it stays closed', async () => {
  const uri = await guardedNode()
  expect((await failureOf(connectLibvirt(uri))).code).toMatch(/^ERR_(AUTH|INVALID_ARGUMENT)$/)
  expect(await failureOf(connectLibvirt(uri, { auth: () => ({ authname: 'fred', passphrase: 'please' }) }))).toMatchObject({
    code: 'ERR_AUTH', libvirt: { codeName: 'VIR_ERR_AUTH_FAILED' },
  })
})

test('whoever throws, rejects or answers nonsense is told so', async () => {
  const uri = await guardedNode()
  const reason = new Error('no password at hand')
  expect(await failureOf(connectLibvirt(uri, { auth: () => { throw reason } }))).toMatchObject({ code: 'ERR_AUTH', cause: reason })
  const error = await failureOf(connectLibvirt(uri, { auth: () => Promise.reject(reason) }))
  expect(error).toMatchObject({ code: 'ERR_AUTH', cause: reason })
  expect(error.message).toContain('no password at hand')
  for (const answers of [undefined, null, 5, 'fred', [], ['fred', 5], { authname: 'fred' }, { authname: 'a\0b', passphrase: 'x' }]) {
    expect(await failureOf(connectLibvirt(uri, { auth: () => answers as AuthAnswers }))).toMatchObject({
      code: 'ERR_AUTH', cause: { code: 'ERR_INVALID_ARGUMENT' },
    })
  }
})

withDaemon.test('a daemon that asks by SASL lets in who knows the password, again after a restart', async () => {
  await using daemon = await startLibvirtd({ login })
  const auth = (): AuthAnswers => ({ authname: login.user, passphrase: login.password, username: login.user })
  const connection = await connectFor(daemon.socketUri, { auth, reconnect: true })
  expect(await connection.type()).toBe('QEMU')
  await daemon.restart()
  await connection.type().catch(() => 'noticed')
  expect(await connection.type()).toBe('QEMU')
  expect(await failureOf(connectLibvirt(daemon.socketUri, { auth: () => ({ ...auth(), passphrase: 'wrong' }) }))).toMatchObject({ code: 'ERR_AUTH' })
  expect((await failureOf(connectLibvirt(daemon.socketUri))).code).toBe('ERR_AUTH')
})
