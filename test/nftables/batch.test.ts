import { describe, expect, test } from 'vitest'
import type { InvalidArgumentError } from '../../src/errors.ts'
import { NLM_F_ACK } from '../../src/netlink/constants.ts'
import { NetlinkError } from '../../src/netlink/error.ts'
import { decodeReplies } from '../../src/netlink/message.ts'
import { Writer } from '../../src/netlink/writer.ts'
import { encodeBatch, isGenerationConflict } from '../../src/nftables/batch.ts'
import { addChain, deleteChain, flushChain } from '../../src/nftables/chains.ts'
import { addRule, deleteRule } from '../../src/nftables/rules.ts'
import { accept, iifname } from '../../src/nftables/vocabulary/index.ts'
import { addTable, deleteTable } from '../../src/nftables/tables.ts'

function hex(...words: string[]): string {
  return words.join('').replaceAll(' ', '')
}

describe('encodeBatch', () => {
  test('frames, numbers, and acknowledges the last change only', () => {
    const { bytes, requests } = encodeBatch([
      addTable({ family: 'ip', name: 't' }),
      addChain({ family: 'ip', table: 't', name: 'c', hook: 'input', priority: -5, policy: 'drop' }),
      addRule({ family: 'ip', table: 't', chain: 'c', expressions: [iifname('lo'), accept()], comment: 'hi' }),
    ], { generation: 7 })
    expect(requests).toHaveLength(5)
    expect(bytes.toString('hex')).toBe(hex(
      // begin: nfgenmsg with res_id 10, NFNL_BATCH_GENID
      '1c000000 1000 0100 00000000 00000000', '00 00 000a', '0800 0100 00000007',
      '1c000000 000a 0104 01000000 00000000', '02 00 0000', '0600 0100 7400 0000',
      '4c000000 030a 0104 02000000 00000000', '02 00 0000', '0600 0100 7400 0000', '0600 0300 6300 0000',
      '1400 0480', '0800 0100 00000001', '0800 0200 fffffffb', '0800 0500 00000000', '0b00 0700 66696c746572 00 00',
      'c0000000 060a 050c 03000000 00000000', '02 00 0000', '0600 0100 7400 0000', '0600 0200 6300 0000',
      '9000 0480',
      '2400 0180', '0900 0100 6d65746100 000000', '1400 0280', '0800 0200 00000006', '0800 0100 00000001',
      '3800 0180', '0800 0100 636d7000', '2c00 0280', '0800 0100 00000001', '0800 0200 00000000',
      '1800 0380', '1400 0100 6c6f0000 00000000 00000000 00000000',
      '3000 0180', '0e00 0100 696d6d656469617465 00 0000', '1c00 0280', '0800 0100 00000000',
      '1000 0280', '0c00 0280', '0800 0100 00000001',
      '0900 0700 00 03 686900 000000',
      '14000000 1100 0100 04000000 00000000', '00 00 000a',
    ))
  })

  test('leaves the requests it was given as they were', () => {
    const request = addTable({ family: 'ip', name: 't' })
    encodeBatch([request])
    expect(request.flags & NLM_F_ACK).toBe(0)
  })
})

test('operations read as nft commands', () => {
  expect([
    addTable({ family: 'inet', name: 't' }), deleteTable({ family: 'ip', name: 't' }),
    addChain({ family: 'ip', table: 't', name: 'c' }), flushChain({ family: 'ip', table: 't', name: 'c' }),
    deleteChain({ family: 'ip', table: 't', name: 'c' }),
    addRule({ family: 'ip6', table: 't', chain: 'c', expressions: [] }),
    deleteRule({ family: 'ip', table: 't', chain: 'c', handle: 4 }),
  ].map(({ operation }) => operation)).toEqual([
    'add table inet t', 'delete table ip t', 'add chain ip t c', 'flush chain ip t c', 'delete chain ip t c',
    'add rule ip6 t c', 'delete rule ip t c handle 4',
  ])
})

test('a wrong hook or family is refused with the right ones', () => {
  expect(() => addChain({ family: 'arp', table: 't', name: 'c', hook: 'postrouting' })).toThrow('input, output')
  expect(() => addTable({ family: 'ipv4' as 'ip', name: 't' })).toThrow('did you mean "ip"?')
})

test('a generation that is over is told apart from other failures', () => {
  const { requests } = encodeBatch([addTable({ family: 'ip', name: 't' })], { generation: 3 })
  const reply = Buffer.alloc(36)
  reply.writeUInt32LE(36, 0)
  reply.writeUInt16LE(2, 4)
  reply.writeInt32LE(-85, 16)
  const { error } = decodeReplies(requests, reply)
  expect(error?.operation).toBe('commit the nf_tables batch made for generation 3 of the ruleset')
  expect(error?.errnoName).toBe('ERESTART')
  expect(isGenerationConflict(error)).toBe(true)
  expect(isGenerationConflict(new NetlinkError('x', 2))).toBe(false)
})

test('a writer that was left in the middle of a refused value begins anew: the next error has its own path', () => {
  const writer = new Writer()
  const bad = addRule({ family: 'ip', table: 't', chain: 'c', expressions: [{ name: 'meta', data: { key: 'iifname', dreg: -1 } }] })
  const refused = (): unknown => {
    try {
      return encodeBatch([bad], {}, writer)
    } catch (error) {
      return (error as InvalidArgumentError).field
    }
  }
  expect([refused(), refused()]).toEqual(['requests[0].expressions[0].data.dreg', 'requests[0].expressions[0].data.dreg'])
})
